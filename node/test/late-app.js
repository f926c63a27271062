'use strict'
// An application whose mapper never answers, and which ends in the middle: node late-app.js FILE MS, or FILE append.

const createLog = require('flumelog-sluice')
const createFlume = require('sluice-flumedb')
const createLevel = require('sluice-flumedb/level')

const [file, when] = process.argv.slice(2)
const isAppending = when === 'append'

const log = createLog(file)
const db = createFlume(log, true, () => { if (isAppending) process.exit(0) })
  .use('level', createLevel(1, msg => [['n', msg.i]]))

main()

async function main () {
  await log.sluice()
  setTimeout(() => process.exit(0), isAppending ? 10000 : Number(when))
  if (isAppending) db.append({ i: 0 }, () => {})
}
