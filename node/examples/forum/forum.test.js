'use strict'
// What a user sees who gives one command after the other, in one terminal or in two.
const test = require('node:test')
const assert = require('node:assert/strict')
const fs = require('fs')
const os = require('os')
const path = require('path')
const { spawn, spawnSync } = require('child_process')

const FORUM = path.join(__dirname, 'forum.js')
const options = { skip: !isInstalled('ssb-keys') && 'ssb-keys is not installed: npm install in node/' }

function isInstalled (name) {
  try {
    return !!require.resolve(name)
  } catch {
    return false
  }
}

/** A forum of its own for a test: gives commands and answers with the lines that they print. */
function forum (t) {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'forum-'))
  t.after(() => fs.rmSync(directory, { recursive: true, force: true }))
  const give = words => spawnSync(process.execPath, [FORUM, directory, ...words], { encoding: 'utf8', timeout: 30000 })
  const says = (...words) => {
    const { status, stdout, stderr } = give(words)
    assert.equal(stderr, '')
    assert.equal(status, 0)
    return stdout.split('\n').slice(0, -1)
  }
  const refuses = (...words) => {
    const { status, stdout, stderr } = give(words)
    assert.equal(status, 1)
    assert.equal(stdout, '')
    return stderr.trim()
  }
  /** Says something and answers with its number. */
  const number = (...words) => says(...words)[0].match(/^\[(\d+)\]/)[1]
  return { directory, says, refuses, number }
}

/** A terminal that stays open: waits for what it prints. */
function terminal (t, ...words) {
  const child = spawn(process.execPath, [FORUM, ...words])
  t.after(() => child.kill('SIGKILL'))
  let printed = ''
  let look = () => {}
  child.stdout.on('data', data => {
    printed += data
    look()
  })
  const prints = expected => new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no ${expected} in:\n${printed}`)), 20000)
    look = () => {
      const found = printed.match(expected)
      if (!found) return
      clearTimeout(timer)
      printed = printed.slice(found.index + found[0].length)
      resolve(found)
    }
    look()
  })
  const ended = new Promise(resolve => child.once('exit', (code, signal) => resolve(signal || code)))
  return { child, prints, ended }
}

function isInFiles (directory, needle) {
  return fs.readdirSync(directory, { recursive: true }).some(name => {
    const file = path.join(directory, name)
    return fs.statSync(file).isFile() && fs.readFileSync(file).includes(needle)
  })
}

test('threads, replies, authors and words are found', options, t => {
  const { says, number } = forum(t)
  const first = number('--as', 'ada', 'post', 'Do engines dream?')
  number('--as', 'ada', 'post', 'Another subject')
  const reply = number('--as', 'bob', 'reply', first, 'Mine dreamed of', 'looms')
  assert.deepEqual(says('threads').map(line => line.replace(/^\[\d+\] /, '')),
    ['ada: Another subject', 'ada: Do engines dream?  +1'])
  const thread = [`[${first}] ada: Do engines dream?`, `  [${reply}] bob: Mine dreamed of looms`]
  assert.deepEqual(says('thread', first), thread)
  assert.deepEqual(says('thread', reply), thread)
  assert.deepEqual(says('author', 'bob'), [`[${reply}] bob: Mine dreamed of looms`])
  assert.deepEqual(says('search', 'dreaming').length, 2)
})

test('an edit is what everybody sees and finds, and without it stands what was first said', options, t => {
  const { says, refuses, number } = forum(t)
  const post = number('--as', 'ada', 'post', 'The loom is closed')
  assert.deepEqual(says('--as', 'ada', 'edit', post, 'The loom is open'), [`[${post}] ada: The loom is open (edited)`])
  assert.deepEqual(says('--as', 'ada', 'edit', post, 'The loom is wide open'), [`[${post}] ada: The loom is wide open (edited)`])
  assert.deepEqual(says('search', 'closed'), [])
  assert.deepEqual(says('search', 'wide'), [`[${post}] ada: The loom is wide open (edited)`])
  assert.match(refuses('--as', 'bob', 'edit', post, 'No loom'), /not yours/)
})

test('what is deleted is nowhere, and back when it is restored; what is erased is in no file, with its edits', options, t => {
  const { directory, says, number } = forum(t)
  const post = number('post', 'I live in Harbour Street')
  says('edit', post, 'I live in Bellevue')
  const reply = number('--as', 'bob', 'reply', post, 'So do I')
  says('delete', post)
  assert.deepEqual(says('threads'), [])
  assert.deepEqual(says('search', 'bellevue'), [])
  assert.deepEqual(says('thread', reply), ['(how it began is gone)', `  [${reply}] bob: So do I`])
  says('restore', post)
  assert.deepEqual(says('search', 'bellevue'), [`[${post}] me: I live in Bellevue (edited)`])
  assert.ok(isInFiles(directory, 'Harbour Street') && isInFiles(directory, 'Bellevue'))
  assert.match(says('erase', post)[0], /^erased: 2 messages/)
  assert.deepEqual(says('search', 'bellevue'), [])
  assert.ok(!isInFiles(directory, 'Harbour') && !isInFiles(directory, 'Bellevue'))
  assert.deepEqual(says('restore', post), ['nothing to do: no message restored'])
})

test('the next message after one that was deleted does not fork the feed', options, async t => {
  const { directory, says, number } = forum(t)
  says('erase', number('post', 'one'))
  says('post', 'two')
  const db = await require('sluice-db').open(path.join(directory, 'db'), { readOnly: true, scuttlebutt: true })
  t.after(() => db.close())
  const [row] = await db.view('posts').all({ messages: true })
  assert.equal(row.message.value.value.sequence, 2)
})

test('a private message is in every view while a key is there that opens it, and in none otherwise', options, t => {
  const { directory, says, number } = forum(t)
  number('--as', 'bob', 'post', 'It is I')
  const secret = number('--as', 'ada', 'private', 'bob', 'Meet me at the loom')
  const isSeen = () => {
    const lists = [says('threads'), says('author', 'ada'), says('search', 'loom')]
    const seen = lists.filter(lines => lines.includes(`[${secret}] ada: Meet me at the loom (private)`)).length
    return { seen, told: lists.flat().filter(line => line.includes('loom')).length }
  }
  assert.deepEqual(isSeen(), { seen: 0, told: 0 })
  says('key', 'add', 'bob')
  assert.deepEqual(isSeen(), { seen: 3, told: 3 })
  const reply = number('--as', 'bob', 'reply', secret, 'At noon')
  assert.ok(says('thread', secret).includes(`  [${reply}] bob: At noon (private)`))
  says('--as', 'ada', 'edit', secret, 'Meet me at the mill')
  assert.ok(says('search', 'mill').includes(`[${secret}] ada: Meet me at the mill (private, edited)`))
  assert.equal(says('key', 'list').length, 1)
  says('key', 'drop', 'bob')
  assert.deepEqual(isSeen(), { seen: 0, told: 0 })
  assert.deepEqual(says('search', 'mill'), [])
  assert.ok(!isInFiles(path.join(directory, 'db', 'log'), 'Meet me'))
})

test('what a blocked feed said leaves, what it says stays out, and both end', options, t => {
  const { says, refuses, number } = forum(t)
  const post = number('post', 'Buy?')
  const offer = number('--as', 'mallory', 'reply', post, 'Buy looms!')
  says('block', 'mallory')
  assert.deepEqual(says('thread', post), [`[${post}] me: Buy?`])
  assert.deepEqual(says('search', 'looms'), [])
  assert.match(refuses('--as', 'mallory', 'post', 'More looms!'), /blocked/)
  says('unblock', 'mallory')
  assert.deepEqual(says('thread', post), [`[${post}] me: Buy?`, `  [${offer}] mallory: Buy looms!`])
  number('--as', 'mallory', 'post', 'Sorry')
  assert.match(refuses('unblock', 'mallory'), /nothing of that kind/)
})

test('who has said nothing can be blocked, and is told so', options, t => {
  const { says } = forum(t)
  const silent = `@${Buffer.alloc(32, 7).toString('base64')}.ed25519`
  assert.deepEqual(says('block', silent), ['left: 0 messages'])
  assert.deepEqual(says('block', silent), ['nothing to do: no message left'])
  assert.deepEqual(says('unblock', silent), ['back: 0 messages'])
})

test('another terminal sees at once what comes, changes and goes', options, async t => {
  const { directory, says, number } = forum(t)
  const post = number('post', 'Before')
  const live = terminal(t, directory, 'live')
  await live.prints(new RegExp(`  \\[${post}\\] me: Before\n`))
  const next = number('--as', 'ada', 'post', 'Meanwhile')
  await live.prints(new RegExp(`\\+ \\[${next}\\] ada: Meanwhile\n`))
  says('--as', 'ada', 'edit', next, 'At once')
  await live.prints(new RegExp(`~ \\[${next}\\] ada: At once \\(edited\\)\n`))
  says('block', 'ada')
  await live.prints(new RegExp(`- \\[${next}\\]\n`))
  says('unblock', 'ada')
  await live.prints(new RegExp(`\\+ \\[${next}\\] ada: At once \\(edited\\)\n`))
  live.child.kill('SIGINT')
  assert.equal(await live.ended, 0)
})

test('a prompt takes commands, others read beside it, and who would write is told', options, async t => {
  const { directory, says, refuses, number } = forum(t)
  const before = number('post', 'Before')
  const writer = terminal(t, directory, '--as', 'ada')
  await writer.prints(/ada> /)
  writer.child.stdin.write('live\n')
  await writer.prints(/ {2}\[\d+\] me: Before\n/) // From here on it tells what is new.
  writer.child.stdin.write('post Hello from   the prompt\n')
  const [, post] = await writer.prints(/\+ \[(\d+)\] ada: Hello from the prompt\n/)
  assert.deepEqual(says('threads'), [`[${post}] ada: Hello from the prompt`, `[${before}] me: Before`])
  assert.match(refuses('--as', 'bob', 'post', 'Me too'), /another terminal writes/)
  const reader = terminal(t, directory, '--as', 'bob')
  await reader.prints(/this one reads/)
  reader.child.stdin.write(`thread ${post}\npost Me too\n`)
  await reader.prints(new RegExp(`\\[${post}\\] ada: Hello`))
  await reader.prints(/this one only reads/)
  writer.child.stdin.write('edit 99 x\n')
  await writer.prints(/there is no message 99/)
  writer.child.stdin.write('quit\n')
  assert.equal(await writer.ended, 0)
  reader.child.stdin.end()
  assert.equal(await reader.ended, 0)
})

test('who quits while it tells what comes hears of no error', options, async t => {
  for (let i = 0; i < 3; i++) {
    const { directory } = forum(t)
    const { status, stdout, stderr } = spawnSync(process.execPath, [FORUM, directory], {
      encoding: 'utf8', timeout: 30000, input: 'live\npost a\npost b\nquit\n'
    })
    assert.equal(status, 0)
    assert.equal(stderr, '')
    assert.doesNotMatch(stdout, /Error|closed/)
    assert.match(stdout, /\] me: b\n/)
  }
})

test('help teaches, and mistakes are told in a line', options, t => {
  const { says, refuses } = forum(t)
  assert.match(says('--help').join('\n'), /key add\|drop NAME/)
  assert.match(refuses('shout'), /there is no command "shout"/)
  assert.match(refuses('post'), /what is the text/)
  assert.match(refuses('author', 'nobody'), /nobody here is called/)
  assert.match(refuses('reply', '77', 'x'), /no message 77/)
  says('post', 'x')
  for (const command of ['delete', 'restore', 'erase']) {
    for (const none of ['1', '0', '-1', 'x']) assert.equal(refuses(command, none), `there is no message ${none}`)
  }
  assert.equal(refuses('search', '"'), 'search: the quotes do not close')
  assert.match(refuses('--as', '../x', 'post', 'x'), /needs a name/)
})
