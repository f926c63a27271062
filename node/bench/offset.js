// flumelog-offset, beside `sluice.js get`: gets 100,000 messages, parsed, in random order.
//   node offset.js LOG
'use strict'
const path = require('path')
const peers = path.join(__dirname, '..', '..', 'bench', 'peers', 'flumedb', 'node_modules')
const pull = require(path.join(peers, 'pull-stream'))
const FlumeLog = require(path.join(peers, 'flumelog-offset'))

const codec = { encode: JSON.stringify, decode: JSON.parse, buffer: false }
const log = FlumeLog(process.argv[2], { codec, blockSize: 1024 * 16 })
const now = () => Number(process.hrtime.bigint()) / 1e9
const count = 100000

pull(log.stream({ values: false }), pull.collect((err, all) => {
  if (err) throw err
  const seqs = Array.from({ length: count }, () => all[Math.floor(Math.random() * all.length)])
  const begin = now()
  const get = seq => new Promise((resolve, reject) => {
    log.get(seq, (err, message) => err ? reject(err) : resolve(message))
  })
  const getAll = async () => {
    for (const seq of seqs) await get(seq)
    console.log(JSON.stringify({ name: 'flumelog-offset: get', value: count / (now() - begin), unit: 'gets/s' }))
  }
  getAll()
}))
