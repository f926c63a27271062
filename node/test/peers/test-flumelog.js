'use strict'
// test-flumelog, unchanged, over flumelog-sluice.

const createLog = require('flumelog-sluice')
const { json } = require('flumecodec')

require('test-flumelog')(filename => createLog(filename, { codec: json }), () => {})
