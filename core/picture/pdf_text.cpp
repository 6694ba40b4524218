#include "core/picture/pdf_text.h"

#include <charconv>
#include <cstdint>
#include <cstdio>

namespace ropescope::picture {
namespace {

using Offset = std::int64_t;
constexpr auto kNone = std::string_view::npos;

// The whole number behind blanks at `at`; moves `at` behind it.
std::optional<Offset> number(std::string_view text, std::size_t& at) {
  at = text.find_first_not_of(" \r\n\t", at);
  if (at == kNone) return std::nullopt;
  Offset value = 0;
  const auto [end, error] = std::from_chars(text.data() + at, text.data() + text.size(), value);
  if (error != std::errc() || value < 0) return std::nullopt;
  at = static_cast<std::size_t>(end - text.data());
  return value;
}

std::optional<Offset> numberAfter(std::string_view text, std::string_view word) {
  auto at = text.find(word);
  if (at == kNone) return std::nullopt;
  at += word.size();
  return number(text, at);
}

struct Table {
  Offset begin = 0;          // of "xref"
  std::string_view trailer;  // inside of its << >>
  Offset size = 0;           // objects, one above the highest number
  Offset root = 0;           // number of the catalogue
  Offset generation = 0;
};

// From the dictionary's "<<" at `begin`, both brackets excluded.
std::optional<std::string_view> dictionaryAt(std::string_view pdf, std::size_t begin) {
  int depth = 0;
  for (std::size_t i = begin; i + 1 < pdf.size(); ++i) {
    const auto two = pdf.substr(i, 2);
    if (two == "<<") {
      ++depth;
      ++i;
    } else if (two == ">>") {
      if (--depth == 0) return pdf.substr(begin + 2, i - begin - 2);
      ++i;
    }
  }
  return std::nullopt;
}

Error damaged(const std::string& what) {
  return Error{ErrorCode::CorruptFile, "the PDF file cannot be extended: " + what};
}

Result<Table> readTable(std::string_view pdf) {
  const auto last = pdf.rfind("startxref");
  if (last == kNone) return damaged("it does not say where its table of objects begins");
  auto at = last + std::string_view("startxref").size();
  const auto begin = number(pdf, at);
  if (!begin || static_cast<std::size_t>(*begin) >= last) {
    return damaged("its table of objects lies outside of it");
  }
  const auto table =
      pdf.substr(static_cast<std::size_t>(*begin), last - static_cast<std::size_t>(*begin));
  if (!table.starts_with("xref")) {
    return Error{ErrorCode::Unsupported,
                 "the PDF file lists its objects in a stream; only a plain table can be extended"};
  }
  const auto trailer = table.find("trailer");
  const auto open = trailer == kNone ? kNone : table.find("<<", trailer);
  const auto inside = open == kNone ? std::nullopt : dictionaryAt(table, open);
  if (!inside) return damaged("its trailer is missing");
  const auto size = numberAfter(*inside, "/Size");
  auto rootAt = inside->find("/Root");
  if (!size || rootAt == kNone) return damaged("its trailer names no catalogue");
  rootAt += std::string_view("/Root").size();
  const auto root = number(*inside, rootAt);
  const auto generation = root ? number(*inside, rootAt) : std::nullopt;
  if (!generation) return damaged("its trailer names no catalogue");
  return Table{*begin, *inside, *size, *root, *generation};
}

// Where object `wanted` begins, by the table's sections of "first count" and 20-byte lines.
std::optional<Offset> offsetOf(std::string_view pdf, const Table& table) {
  auto at = static_cast<std::size_t>(table.begin) + std::string_view("xref").size();
  for (;;) {
    const auto first = number(pdf, at);
    const auto count = first ? number(pdf, at) : std::nullopt;
    if (!count) return std::nullopt;
    for (Offset i = 0; i < *count; ++i) {
      const auto offset = number(pdf, at);
      const auto generation = offset ? number(pdf, at) : std::nullopt;
      if (!generation) return std::nullopt;
      at = pdf.find_first_of("nf", at);
      if (at == kNone) return std::nullopt;
      ++at;
      if (*first + i == table.root) return offset;
    }
  }
}

Result<std::string_view> catalogue(std::string_view pdf, const Table& table) {
  const auto offset = offsetOf(pdf, table);
  if (!offset || static_cast<std::size_t>(*offset) >= pdf.size()) {
    return damaged("its catalogue is not in its table");
  }
  const auto open = pdf.find("<<", static_cast<std::size_t>(*offset));
  const auto inside = open == kNone ? std::nullopt : dictionaryAt(pdf, open);
  if (!inside || inside->find("/Catalog") == kNone) {
    return damaged("its table does not lead to its catalogue");
  }
  if (inside->find("/Names") != kNone) {
    return Error{ErrorCode::Unsupported,
                 "the PDF file has named objects already; only one without can be extended"};
  }
  return *inside;
}

std::string objectHead(Offset object, Offset generation) {
  return std::to_string(object) + " " + std::to_string(generation) + " obj\n";
}

// One line of the table: 20 bytes.
std::string tableLine(std::size_t offset, Offset generation) {
  char line[32];
  std::snprintf(line, sizeof line, "%010zu %05lld n \n", offset,
                static_cast<long long>(generation));
  return line;
}

// The trailer without what changes.
std::string keptTrailer(std::string_view trailer) {
  std::string kept(trailer);
  for (const char* name : {"/Size", "/Prev"}) {
    const auto begin = kept.find(name);
    if (begin == std::string::npos) continue;
    auto end = begin + std::string_view(name).size();
    if (number(kept, end)) kept.erase(begin, end - begin);
  }
  return kept;
}

}  // namespace

bool isPdf(std::string_view bytes) {
  return bytes.starts_with("%PDF-");
}

Result<std::string> withPdfText(std::string_view pdf, std::string_view keyword,
                                std::string_view text) {
  const auto table = readTable(pdf);
  if (!table) return table.error();
  const auto root = catalogue(pdf, *table);
  if (!root) return root.error();
  const std::string name(kPdfAttachment);
  const std::string stream = std::to_string(table->size);
  const std::string file = std::to_string(table->size + 1);
  const std::string length = std::to_string(text.size());

  std::string out(pdf);
  if (!out.ends_with('\n')) out += '\n';
  const auto streamAt = out.size();
  out += objectHead(table->size, 0) +
         "<< /Type /EmbeddedFile /Subtype /application#2Fjson /Length " + length +
         " /Params << /Size " + length + " >> >>\nstream\n";
  out += text;
  out += "\nendstream\nendobj\n";
  const auto fileAt = out.size();
  out += objectHead(table->size + 1, 0) + "<< /Type /Filespec /F (" + name + ") /UF (" + name +
         ") /Desc (" + std::string(keyword) + ") /EF << /F " + stream + " 0 R >> >>\nendobj\n";
  const auto rootAt = out.size();
  out += objectHead(table->root, table->generation) + "<<" + std::string(*root) +
         " /Names << /EmbeddedFiles << /Names [(" + name + ") " + file +
         " 0 R] >> >>\n>>\nendobj\n";
  const auto tableAt = out.size();
  out += "xref\n" + std::to_string(table->root) + " 1\n" + tableLine(rootAt, table->generation) +
         stream + " 2\n" + tableLine(streamAt, 0) + tableLine(fileAt, 0);
  out += "trailer\n<<" + keptTrailer(table->trailer) + " /Size " + std::to_string(table->size + 2) +
         " /Prev " + std::to_string(table->begin) + "\n>>\nstartxref\n" + std::to_string(tableAt) +
         "\n%%EOF\n";
  return out;
}

std::optional<std::string> pdfText(std::string_view pdf, std::string_view keyword) {
  const auto described = pdf.rfind("/Desc (" + std::string(keyword) + ") /EF << /F ");
  if (described == kNone) return std::nullopt;
  const auto object = numberAfter(pdf.substr(described), "/EF << /F ");
  if (!object) return std::nullopt;
  const std::string head = "\n" + objectHead(*object, 0) + "<< /Type /EmbeddedFile ";
  const auto at = pdf.rfind(head, described);  // it stands before its description
  if (at == kNone) return std::nullopt;
  const auto length = numberAfter(pdf.substr(at, described - at), "/Length ");
  constexpr std::string_view kStream = ">> >>\nstream\n";
  const auto stream = pdf.find(kStream, at);
  if (!length || stream == kNone) return std::nullopt;
  const auto begin = stream + kStream.size();
  if (pdf.size() - begin < static_cast<std::size_t>(*length)) return std::nullopt;
  const auto end = begin + static_cast<std::size_t>(*length);
  if (!pdf.substr(end).starts_with("\nendstream")) return std::nullopt;
  return std::string(pdf.substr(begin, static_cast<std::size_t>(*length)));
}

}  // namespace ropescope::picture
