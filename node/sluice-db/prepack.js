'use strict'
// Before npm packs: the addon that was built goes to where a package has it for this platform.
const fs = require('fs')
const path = require('path')

const built = path.join(__dirname, 'build', 'sluice.node')
if (!fs.existsSync(built)) {
  console.error('sluice-db: there is no build/sluice.node to pack: run "make node" in the repository first')
  process.exit(1)
}
const place = path.join(__dirname, 'prebuilds', `${process.platform}-${process.arch}`)
fs.mkdirSync(place, { recursive: true })
fs.copyFileSync(built, path.join(place, 'sluice.node'))
