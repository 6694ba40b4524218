// The views of the docks: one tab each. A new view is one addView() here.
#include "ui/main_window.h"
#include "ui/panels/angle_panel.h"
#include "ui/panels/attention_panel.h"
#include "ui/panels/perplexity_panel.h"
#include "ui/panels/view_tabs.h"

namespace ropescope::ui {

void MainWindow::addAttentionViews() {
  m_attentionViews = new ViewTabs(this);
  m_attention = new AttentionPanel(m_app, m_runner, this);
  m_attentionViews->addView(QStringLiteral("map"), tr("Map"),
                            tr("One head: which token reads from which"), m_attention);
}

void MainWindow::addAngleViews() {
  m_angleViews = new ViewTabs(this);
  m_angles = new AnglePanel(m_app, this);
  m_angleViews->addView(QStringLiteral("pairs"), tr("Pairs"),
                        tr("Scale, wavelength and angle of every rotary pair"), m_angles);
}

void MainWindow::addPerplexityViews() {
  m_perplexityViews = new ViewTabs(this);
  m_perplexity = new PerplexityPanel(m_app, m_runner, this);
  m_perplexityViews->addView(QStringLiteral("curve"), tr("Curve"),
                             tr("Perplexity against context length"), m_perplexity);
}

}  // namespace ropescope::ui
