'use strict'
// A view that was emptied by half when the program or the power ended says that it is empty: flumeview-level forgets
// first how far it has come. So there is a file beside the log while a view is being emptied.

const fs = require('fs')
const path = require('path')
const { sync } = require('./durable')

const noteOf = (folder, name) => path.join(folder, name + '.emptying')

/** Resolves when it is durable that view `name` is being emptied. */
exports.begin = async function begin (folder, name) {
  await fs.promises.writeFile(noteOf(folder, name), '')
  await sync(noteOf(folder, name))
  await sync(folder)
}

/** It is empty. If the power takes this back, it is emptied once more. */
exports.end = function end (folder, name) {
  fs.rmSync(noteOf(folder, name), { force: true })
}

/** Whether view `name` was being emptied when the program ended. */
exports.wasCutShort = function wasCutShort (folder, name) {
  return fs.existsSync(noteOf(folder, name))
}
