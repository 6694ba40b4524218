// The views of the docks: one tab each. A new view is one addView() here.
#include <QDockWidget>

#include "ui/main_window.h"
#include "ui/panels/angle_panel.h"
#include "ui/panels/attention_compare_panel.h"
#include "ui/panels/attention_panel.h"
#include "ui/panels/clock_panel.h"
#include "ui/panels/contribution_panel.h"
#include "ui/panels/coverage_panel.h"
#include "ui/panels/factor_editor_panel.h"
#include "ui/panels/heads_panel.h"
#include "ui/panels/loss_panel.h"
#include "ui/panels/needle_panel.h"
#include "ui/panels/perplexity_panel.h"
#include "ui/panels/psc_panel.h"
#include "ui/panels/reading_panel.h"
#include "ui/panels/score_panel.h"
#include "ui/panels/view_tabs.h"

namespace ropescope::ui {

// The map's head and the shared choice are the same; the model's shape reaches the choice first.
void MainWindow::connectHeads() {
  AttentionViewModel& map = m_attention->model();
  connect(&map, &AttentionViewModel::selectionChanged, this, [this, &map] {
    m_heads.setHead({map.layer(), map.head()});
  });
  connect(&m_heads, &HeadChoice::headChanged, this,
          [this, &map] { map.selectHead(m_heads.head().layer, m_heads.head().head); });
}

void MainWindow::addAttentionViews() {
  connect(&m_app, &AppModel::modelChanged, this, [this] {
    const ModelConfig& config = m_app.engine()->config();
    m_heads.setModelShape(config.layers, config.heads);
  });
  m_attentionViews = new ViewTabs(this);
  m_attention = new AttentionPanel(m_app, m_runner, this);
  m_attentionViews->addView(QStringLiteral("map"), tr("Map"),
                            tr("One head: which token reads from which"), m_attention);
  m_readingPanel = new ReadingPanel(m_reading, m_chat, m_document, m_shading, this);
  m_attentionViews->addView(QStringLiteral("reading"), tr("Reading"),
                            tr("Where an answer was read from, and what reads a passage"),
                            m_readingPanel);
  connectHeads();
  m_attentionViews->addView(QStringLiteral("compare"), tr("Compare"),
                            tr("The same head under two settings, and the difference"),
                            new AttentionComparePanel(m_app, m_runner, m_heads, this));
  TokenWeights& pointed = m_attention->weights();
  connect(&pointed, &TokenWeights::changed, this, [this, &pointed] {
    const bool tokens = m_attention->model().granularity() == Granularity::Token;
    if (pointed.isPinned() && tokens) m_tokens.choose(pointed.query(), pointed.key());
  });
  m_attentionViews->addView(QStringLiteral("heads"), tr("Heads"),
                            tr("All heads of all layers at once, and which of them retrieve"),
                            new HeadsPanel(m_app, m_runner, m_heads, this));
}

void MainWindow::addAngleViews() {
  m_angleViews = new ViewTabs(this);
  m_angles = new AnglePanel(m_app, this);
  m_angleViews->addView(QStringLiteral("pairs"), tr("Pairs"),
                        tr("Scale, wavelength and angle of every rotary pair"), m_angles);
  const LensParts lens{m_app, m_runner, m_heads, m_tokens};
  m_angleViews->addView(QStringLiteral("contributions"), tr("Contributions"),
                        tr("What every rotary pair adds to the score of two tokens"),
                        new ContributionPanel(lens, this));
  m_score = new ScorePanel(lens, this);
  m_angleViews->addView(QStringLiteral("score"), tr("Score"),
                        tr("Score of two tokens against their distance, under every method"),
                        m_score);
  m_angleViews->addView(QStringLiteral("psc"), tr("PSC"),
                        tr("What a calibration's learned gate does to q and k"),
                        new PscPanel(lens, this));
  m_angleViews->addView(QStringLiteral("clocks"), tr("Clocks"),
                        tr("One hand per rotary pair, and the angles training never showed"),
                        new ClockPanel(m_angles->model(), this));
  m_coverage = new CoveragePanel({m_app, m_runner, m_chat, m_heads}, this);
  m_angleViews->addView(QStringLiteral("coverage"), tr("Coverage"),
                        tr("Distances at which pairs meet angles training never showed"),
                        m_coverage);
  m_angleViews->addView(QStringLiteral("editor"), tr("Editor"),
                        tr("Draw a factor curve by hand and see what it does"),
                        new FactorEditorPanel(m_app, m_runner, m_chat, this));
}

void MainWindow::addPerplexityViews() {
  m_perplexityViews = new ViewTabs(this);
  m_perplexity = new PerplexityPanel(m_app, m_runner, m_resources, this);
  m_perplexityViews->addView(QStringLiteral("curve"), tr("Curve"),
                             tr("Perplexity against context length"), m_perplexity);
  m_lossPanel = new LossPanel(m_loss, m_shading, this);
  m_perplexityViews->addView(QStringLiteral("loss"), tr("Loss"),
                             tr("Loss of every token, and the worst sentences"), m_lossPanel);
  auto* needles = new NeedlePanel(m_app, m_chat, m_runner,
                                  {.results = m_results, .resources = m_resources}, this);
  m_perplexityViews->addView(QStringLiteral("needles"), tr("Needles"),
                             tr("Is a hidden sentence found at every length and depth?"), needles);
  connect(needles, &NeedlePanel::needleRead, this, [this](qint64 query, qint64 key) {
    m_attentionViews->showView(QStringLiteral("map"));
    m_docks[Attention]->show();
    m_docks[Attention]->raise();
    m_attention->model().setGranularity(Granularity::Token);
    m_attention->weights().pin(query, key);
    m_tokens.choose(query, key);
  });
}

}  // namespace ropescope::ui
