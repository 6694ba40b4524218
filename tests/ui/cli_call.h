// What ropescope-cli says with --json -, for tests that compare it with what is shown.
#pragma once

#include <QProcess>
#include <QStringList>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace ropescope::ui {

inline nlohmann::json cliResult(QStringList arguments) {
  arguments << QStringLiteral("--json") << QStringLiteral("-");
  QProcess program;
  program.start(QStringLiteral(ROPESCOPE_CLI), arguments);
  EXPECT_TRUE(program.waitForFinished(-1)) << "the test's own limit ends it";
  EXPECT_EQ(program.exitCode(), 0) << program.readAllStandardError().constData();
  return nlohmann::json::parse(program.readAllStandardOutput().toStdString(), nullptr, false);
}

}  // namespace ropescope::ui
