'use strict'
// In the place of flumelog-memory: our log, at a place of its own where none is named.

const fs = require('fs')
const os = require('os')
const path = require('path')
const createLog = require('flumelog-sluice')

module.exports = function (filename) {
  return createLog(filename || path.join(fs.mkdtempSync(path.join(os.tmpdir(), 'flume-')), 'log'))
}
