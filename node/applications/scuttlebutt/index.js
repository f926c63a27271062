'use strict'
// A plugin for secret-stack: `ssb.sluice()` resolves with the database below ssb-db, for what ssb-db has no
// calls for: keys that come and go, blocked feeds, erasing.
//
//     const db = await ssb.sluice()
//     await db.scuttlebutt.addIdentity(secret)

const EventEmitter = require('events')
const { inside } = require('flumelog-sluice')

exports.name = 'sluice'
exports.version = '0.1.0'
exports.manifest = {}

exports.init = function (ssb) {
  let opened
  // A view that has nothing in it. FlumeDB shows its log to views only.
  ssb._flumeUse('sluice', log => {
    opened = inside(log.since).opened
    return {
      isKeptBySluice: true,
      since: log.since,
      signals: new EventEmitter(),
      methods: {},
      createSink () {},
      close: cb => cb(),
      destroy: cb => cb()
    }
  })
  return () => opened
}
