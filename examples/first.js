// Until there is a binding, JavaScript talks to the command line, which answers in JSON if asked to.
const { execFileSync } = require('child_process')
const sluice = (...args) => execFileSync('sluice', args, { encoding: 'utf8' })
const list = (...args) => sluice(...args, '--json').split('\n').filter(Boolean).map(line => JSON.parse(line))

sluice('init', 'forum')
sluice('view', 'add', 'forum', 'by_author', '--json', '{"kind":"index","key":["/author","/time"]}')
const message = { author: '@ada', time: 1, text: 'hello' }
sluice('append', 'forum', '--key', 'm1', '--json', JSON.stringify(message))
sluice('delete', 'forum', '--key', 'm1', '--reason', 'a mistake')
sluice('restore', 'forum', '--key', 'm1')
for (const row of list('read', 'forum', 'by_author', '--values')) console.log(row.key, row.value.text)
