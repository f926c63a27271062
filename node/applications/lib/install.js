'use strict'
const fs = require('fs')
const path = require('path')
const { execFileSync } = require('child_process')
const { substitute, link, without } = require('./replacements')

// Linters and what makes output pretty: half of what would be fetched, and no test needs them.
const idle = [
  'standard', 'nyc', 'ava', 'sinon', 'tap-spec', 'tap-arc', 'faucet', 'cross-env', 'npm-install-package'
]

// Makes the package and all it needs in `folder`, on FlumeDB ('stock') or with Sluice in its place.
module.exports = function install (suite, stack, folder) {
  fs.mkdirSync(folder, { recursive: true })
  unpack(suite, folder)
  const file = path.join(folder, 'package.json')
  const manifest = prepare(JSON.parse(fs.readFileSync(file)), suite)
  const isByNpm = stack === 'sluice' && !suite.isShrinkwrapped
  fs.writeFileSync(file, JSON.stringify(isByNpm ? substitute(manifest) : manifest, null, 2))
  // Without install scripts: what is native here comes built, and is looked for when it is loaded.
  const flags = ['--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund']
  npm(['install', ...flags, ...(suite.isShrinkwrapped ? [] : ['--no-package-lock'])], folder)
  if (stack === 'sluice' && suite.isShrinkwrapped) link(folder)
}

function unpack ({ name, version, isShrinkwrapped }, folder) {
  const [{ filename }] = JSON.parse(npm(['pack', '--json', '--prefer-offline', `${name}@${version}`], folder))
  execFileSync('tar', ['xzf', filename, '--strip-components=1'], { cwd: folder })
  fs.unlinkSync(path.join(folder, filename))
  // It would hold the versions against any override.
  if (!isShrinkwrapped) fs.rmSync(path.join(folder, 'npm-shrinkwrap.json'), { force: true })
}

function prepare (manifest, { needs = {}, also = {} }) {
  const { scripts, ...rest } = manifest
  const direct = [...Object.keys(rest.dependencies || {}), ...Object.keys(rest.devDependencies || {})]
  return {
    ...rest,
    devDependencies: { ...without(rest.devDependencies, idle), ...also },
    overrides: without({ ...rest.overrides, ...needs }, direct)
  }
}

function npm (args, folder) {
  return execFileSync('npm', args, { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
}
