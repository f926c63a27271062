'use strict'
// A suite of test-flumeview-index, unchanged, over level: <suite> <flumedb>

const path = require('path')
const createLog = require('flumelog-sluice')
const createLevel = require('sluice-flumedb/level')
const { json } = require('flumecodec')

const [suite, flumedb] = process.argv.slice(2)
const createFlume = require(flumedb)

require(suite)(directory => createFlume(createLog(path.join(directory, 'log.offset'), { codec: json }))
  .use('index', createLevel(1, msg => [msg.key])))
