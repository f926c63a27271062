'use strict'
// Which applications are tried: published packages whose tarballs carry their tests.
//
//   tests    folders and files of the package; of a folder what ends in `ending`
//   needs    versions of what is below it, where others cannot be had or do not do: both stacks get them
//   also     what its tests use without asking for it
//   isShrinkwrapped  it does only with the versions that it was published with
//   seconds  a file may take, on either stack
//   differs  files that give less on Sluice, and why: no failure of the run, which says so

// ssb-tribes 0.1 asks for these on a git host, and for a sodium that has to be compiled.
const olderTribes = { 'envelope-spec': '1.0.0', 'private-group-spec': '1.1.3', 'sodium-native': '^3.4.1' }

// Later ones refuse addresses that these tests connect to.
const tolerantIp = { ip: '1.1.5' }

const offsets = { 'test/create-sequence-stream.js': 'wants offsets in bytes: the first 0, the second above 1' }

// These wait for what happens when a message comes before the key that opens it. Here more is open when it comes.
const races = {
  'test/lib/get-group-tangle.test.js': 'counts how many of messages published at the same time do not know of each other',
  'test/listen.test.js': 'gives a rebuild half a second, which a busy machine needs for that of twenty views',
  'test/rebuild.test.js': 'waits for a second rebuild, for a message that was open when it came',
  'test/api/application/list.test.js': 'asks before the message has been replicated, as the answer before came sooner',
  'test/api/add-new-author-listener.test.js': 'wants the first of two equal invitations to be done before the second comes'
}

module.exports = [
  { name: 'ssb-db', version: '20.4.1', tests: ['test'], ending: '.js', needs: olderTribes, seconds: 120, differs: offsets },
  { name: 'ssb-server', version: '16.0.1', tests: ['test'], ending: '.js', isShrinkwrapped: true, seconds: 240 },
  { name: 'ssb-private1', version: '1.0.1', tests: ['test'], ending: '.test.js', seconds: 60 },
  { name: 'ssb-tribes', version: '3.1.3', tests: ['test'], ending: '.test.js', seconds: 120, environment: { NODE_ENV: 'test' }, differs: races },
  { name: 'ssb-friends', version: '4.4.10', tests: ['test'], ending: '.js', seconds: 120 },
  { name: 'ssb-replicate', version: '1.3.5', tests: ['test'], ending: '.test.js', needs: tolerantIp, seconds: 120 },
  { name: 'ssb-invite', version: '2.1.8', tests: ['test'], ending: '.test.js', seconds: 120 },
  { name: 'ssb-ebt', version: '5.6.7', tests: ['test'], ending: '.js', needs: tolerantIp, also: { 'ssb-db2': '^6.1.0' }, seconds: 180 },
  { name: 'ssb-crut', version: '6.1.1', tests: ['test'], ending: '.test.js', seconds: 120 }
]
