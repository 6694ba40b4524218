#include "ui/plots/needle_plot.h"

#include <gtest/gtest.h>

#include "tests/ui/live_app.h"

namespace ropescope::ui {
namespace {

// At the width of its dock a headline says all, its end too.
TEST(NeedlePlot, HeadlinesWrapAtANarrowWidth) {
  const QTemporaryDir folder;
  NeedleViewModel model(folder.filePath("needles").toStdString(), {});
  model.setWork({.start = {},
                 .stop = {},
                 .load = [](const NeedleOrder& order,
                            const std::function<void(const std::vector<NeedleCell>&)>& deliver) {
                   RetrievalCell missed{.method = order.methods.front(),
                                        .length = 512,
                                        .depth = 0.5,
                                        .answers = {{.expected = "48213", .answer = "?"}}};
                   deliver({{.index = 0, .cell = missed}});
                 }});
  model.editLengths("512");
  model.editDepths("50");
  model.curves().editText("pi:factor=4");
  model.setModel({.trainedLength = 1024, .hash = "0", .ownFormat = false});
  ASSERT_TRUE(model.headline(0).endsWith("below the shortest length"))
      << qPrintable(model.headline(0));
  NeedlePlot plot(model);
  plot.resize(300, 300);
  plot.show();
  plot.plot()->replot(QCustomPlot::rpImmediateRefresh);
  int headlines = 0;
  for (QCPLayoutElement* element : plot.plot()->plotLayout()->elements(true)) {
    const auto* text = qobject_cast<QCPTextElement*>(element);
    if (text == nullptr || text->text() != model.headline(0)) continue;
    ++headlines;
    const QRect needed = QFontMetrics(text->font())
                             .boundingRect(QRect(0, 0, text->rect().width(), 10'000),
                                           text->textFlags(), text->text());
    EXPECT_LE(needed.width(), text->rect().width());
    EXPECT_LE(needed.height(), text->rect().height() + 1);
  }
  EXPECT_EQ(headlines, 1);
}

}  // namespace
}  // namespace ropescope::ui
