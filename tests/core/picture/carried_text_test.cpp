// The PDF's structure is read by a walker of its own, after ISO 32000-1 section 7.5: every line of
// every table of objects leads to the object that it names.
#include "core/picture/carried_text.h"

#include <map>
#include <regex>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/picture/pdf_text.h"

namespace ropescope::picture {
namespace {

constexpr const char* kKeyword = "RopeScope experiment";
const std::string kText =
    "{\"Größe\": \"漢字 <b>&amp; > ]]> endstream\"}\n" + std::string(5000, 'x');

const std::string kSvg =
    "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"no\"?>\n"
    "<svg width=\"10mm\" xmlns=\"http://www.w3.org/2000/svg\" id=\"a>b\">\n<title>Plot</title>\n"
    "<g fill=\"none\"><rect width=\"3\" height=\"4\"/></g>\n</svg>\n";

std::string tableLine(std::size_t offset) {
  std::string digits = std::to_string(offset);
  return std::string(10 - digits.size(), '0') + digits + " 00000 n \n";
}

// A page without marks.
std::string smallPdf() {
  std::string pdf = "%PDF-1.4\n%\xe2\xe3\xcf\xd3\n";
  std::string table = "xref\n0 4\n0000000000 65535 f \n";
  const std::vector<std::string> objects{
      "1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n",
      "2 0 obj\n<< /Type /Pages /Kids [3 0 R] /Count 1 >>\nendobj\n",
      "3 0 obj\n<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] >>\nendobj\n"};
  for (const auto& object : objects) {
    table += tableLine(pdf.size());
    pdf += object;
  }
  const auto at = pdf.size();
  return pdf + table + "trailer\n<<\n/Size 4\n/Root 1 0 R\n>>\nstartxref\n" + std::to_string(at) +
         "\n%%EOF\n";
}

// Object number to where its newest version begins.
std::map<int, std::size_t> objectsOf(const std::string& pdf) {
  std::map<int, std::size_t> found;
  auto at = std::stoul(pdf.substr(pdf.rfind("startxref") + 9));
  for (;;) {
    EXPECT_EQ(pdf.substr(at, 5), "xref\n");
    std::istringstream lines(pdf.substr(at + 5));
    std::string line;
    while (std::getline(lines, line) && line != "trailer") {
      int first = 0;
      int count = 0;
      std::istringstream(line) >> first >> count;
      for (int i = 0; i < count && std::getline(lines, line); ++i) {
        EXPECT_EQ(line.size(), 19U) << "a line has 20 bytes with its end: " << line;
        if (line.back() == ' ' && line[17] == 'n') {
          found.emplace(first + i, std::stoul(line.substr(0, 10)));  // newer tables come first
        }
      }
    }
    std::smatch previous;
    const std::string rest = pdf.substr(at, pdf.find("startxref", at) - at);
    if (!std::regex_search(rest, previous, std::regex("/Prev ([0-9]+)"))) return found;
    at = std::stoul(previous[1]);
  }
}

std::string objectText(const std::string& pdf, std::size_t at) {
  return pdf.substr(at, pdf.find("endobj", at) - at);
}

TEST(CarriedText, KnowsTheKindByTheFirstBytes) {
  EXPECT_EQ(kindOf(kSvg), FileKind::Svg);
  EXPECT_EQ(kindOf(smallPdf()), FileKind::Pdf);
  EXPECT_EQ(kindOf("{\"ropescope_experiment\": 1}"), std::nullopt);
  EXPECT_EQ(kindOf(""), std::nullopt);
  EXPECT_EQ(kindOf("<html><body></body></html>"), std::nullopt);
}

TEST(CarriedText, ComesBackAsItWasFromSvgAndPdf) {
  for (const auto& [kind, picture] :
       {std::pair{FileKind::Svg, kSvg}, std::pair{FileKind::Pdf, smallPdf()}}) {
    const auto made = withText(picture, kind, kKeyword, kText);
    ASSERT_TRUE(made) << made.error().message;
    EXPECT_EQ(kindOf(*made), kind);
    EXPECT_EQ(carriedText(*made, kind, kKeyword), kText);
    EXPECT_EQ(carriedText(*made, kind, "another"), std::nullopt);
    EXPECT_EQ(carriedText(picture, kind, kKeyword), std::nullopt);
    std::string cut = made->substr(0, made->size() - kText.size() / 2 - 900);
    EXPECT_EQ(carriedText(cut, kind, kKeyword), std::nullopt) << "cut off";
  }
}

TEST(CarriedText, LeavesTheRestOfAnSvgAsItIs) {
  const std::string made = *withText(kSvg, FileKind::Svg, kKeyword, kText);
  const auto begin = made.find("\n<metadata>");
  const auto end = made.find("</metadata>") + std::string("</metadata>").size();
  ASSERT_NE(begin, std::string::npos);
  EXPECT_EQ(made.substr(0, begin) + made.substr(end), kSvg);
  EXPECT_EQ(made.substr(begin - 6, 6), "\"a>b\">") << "behind the whole tag of the root element";
}

TEST(CarriedText, ExtendsAPdfByTheRules) {
  const std::string before = smallPdf();
  const std::string made = *withText(before, FileKind::Pdf, kKeyword, kText);
  EXPECT_EQ(made.substr(0, before.size()), before) << "an update only adds";
  EXPECT_TRUE(made.ends_with("%%EOF\n"));
  const auto objects = objectsOf(made);
  ASSERT_EQ(objects.size(), 5U);
  for (const auto& [number, at] : objects) {
    EXPECT_TRUE(made.substr(at).starts_with(std::to_string(number) + " 0 obj\n")) << number;
  }
  EXPECT_NE(made.find("/Size 6"), std::string::npos);
  const std::string root = objectText(made, objects.at(1));
  EXPECT_THAT(root, testing::HasSubstr("/Pages 2 0 R"));
  std::smatch name;
  ASSERT_TRUE(std::regex_search(
      root, name,
      std::regex(R"(/EmbeddedFiles << /Names \[\(experiment\.ropescope\) (\d+) 0 R\])")));
  const std::string file = objectText(made, objects.at(std::stoi(name[1])));
  std::smatch stream;
  ASSERT_TRUE(std::regex_search(file, stream, std::regex(R"(/EF << /F (\d+) 0 R >>)")));
  const std::string attached = made.substr(objects.at(std::stoi(stream[1])));
  const auto data = attached.find("stream\n") + 7;
  EXPECT_EQ(attached.substr(data, kText.size()), kText);
  EXPECT_THAT(attached.substr(0, data),
              testing::HasSubstr("/Length " + std::to_string(kText.size())));
}

TEST(CarriedText, SaysWhyAPictureCannotCarryIt) {
  EXPECT_EQ(withText("<?xml version=\"1.0\"?><svg/>", FileKind::Svg, kKeyword, kText).error().code,
            ErrorCode::CorruptFile);
  const std::string pdf = smallPdf();
  const auto cut = withText(pdf.substr(0, pdf.find("startxref")), FileKind::Pdf, kKeyword, kText);
  ASSERT_FALSE(cut);
  EXPECT_THAT(cut.error().message, testing::HasSubstr("table of objects"));
  std::string wrong = pdf;
  wrong.replace(wrong.rfind("startxref") + 10, 3, "999");
  EXPECT_EQ(withText(wrong, FileKind::Pdf, kKeyword, kText).error().code, ErrorCode::CorruptFile);
  const auto twice =
      withText(*withText(pdf, FileKind::Pdf, kKeyword, kText), FileKind::Pdf, kKeyword, kText);
  ASSERT_FALSE(twice);
  EXPECT_EQ(twice.error().code, ErrorCode::Unsupported);
}

}  // namespace
}  // namespace ropescope::picture
