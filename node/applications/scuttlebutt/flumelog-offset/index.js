'use strict'
// Below ssb-db: a log whose database opens private messages, applies edits and keeps blocked feeds out.
const createLog = require('flumelog-sluice')
const asSsbDb = require('../as-ssb-db')

module.exports = function createOffsetLog (file, options) {
  return createLog(file, { durability: 'interval', scuttlebutt: true, read: asSsbDb, ...options })
}
