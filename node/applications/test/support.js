'use strict'
const fs = require('fs')
const os = require('os')
const path = require('path')
const { promisify } = require('util')
const pull = require('pull-stream')
const secretStack = require('secret-stack')
const ssbKeys = require('ssb-keys')

const caps = { shs: Buffer.alloc(32, 1).toString('base64') }

exports.newFolder = function newFolder (t) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'sluice-ssb-'))
  t.after(() => fs.rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** ssb-db on Sluice in `folder`. Closed when the test ends. */
exports.start = function start (t, folder, { keys = ssbKeys.generate(), plugins = [] } = {}) {
  const stack = secretStack({ caps }).use(require('ssb-db')).use(require('../scuttlebutt'))
  for (const plugin of plugins) stack.use(plugin)
  const ssb = stack({ path: folder, keys })
  t.after(() => exports.stop(ssb))
  return ssb
}

exports.stop = function stop (ssb) {
  ssb.stopped = ssb.stopped || promisify(ssb.close)()
  return ssb.stopped
}

exports.collect = function collect (source) {
  return new Promise((resolve, reject) => {
    pull(source, pull.collect((error, all) => error ? reject(error) : resolve(all)))
  })
}

/** Publishes as `feed`, which is one of ssb.createFeed(). */
exports.publish = function publish (feed, content) {
  return promisify(feed.publish)(content)
}

/** The texts of the messages of a type, as an application reads them. */
exports.textsOf = async function textsOf (ssb, type) {
  const messages = await exports.collect(ssb.messagesByType({ type, private: true }))
  return messages.map(message => message.value.content.text)
}
