'use strict'
// flumelog-offset never waits for the disk. This is no slower, and has a power cut take back no more than
// the last moments.
const createLog = require('flumelog-sluice')

module.exports = function createOffsetLog (file, options, ...rest) {
  const isOptions = typeof options === 'object' && typeof options.encode !== 'function'
  return isOptions ? createLog(file, { durability: 'interval', ...options }) : createLog(file, options, ...rest)
}
