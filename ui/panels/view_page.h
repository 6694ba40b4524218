// What every view of a dock offers besides its picture, so that pictures of all of them can be made
// by one command.
#pragma once

namespace ropescope::ui {

class ViewPage {
 public:
  virtual ~ViewPage() = default;
  // Does what a newcomer would do first here: start the measurement, choose two tokens.
  virtual void showExample() {}
  virtual bool isSettled() const { return true; }  // nothing is on its way that changes the picture
};

}  // namespace ropescope::ui
