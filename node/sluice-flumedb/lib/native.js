'use strict'
// The counterpart of build.js for views that the database keeps: nothing is streamed to them.

module.exports = function createNativeBuilder ({ view, sv }) {
  return { start, rebuild, stop () {} }

  function start () {
    sv.createSink(() => {})
  }

  function rebuild () {
    if (view.isDestroying()) return
    view.setDestroying(true)
    view.destroy(() => {
      view.setDestroying(false)
      start()
    })
  }
}
