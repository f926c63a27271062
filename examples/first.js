// In the repository, after `make node`: NODE_PATH=node node examples/first.js
const { open } = require('sluice-db')

async function main () {
  const db = await open('forum')
  const posts = await db.addView('posts', { kind: 'aggregate', group: ['/author'], value: { count: true } })
  const texts = await db.addView('texts', { // Or a function of your own.
    app: 'first program', map: ({ value }, emit) => emit([value.author, value.text.length])
  })
  await db.append({ author: '@ada', text: 'hello' })
  const second = await db.append({ author: '@ada', text: 'my address is ...' })

  await db.erase(second, { reason: 'asked to' })

  // Every view is right when erase() has resolved.
  for await (const { key, value } of posts.read()) console.log(key, value)
  for await (const { key, message } of texts.read({ messages: true })) console.log(key, message.value)
  await db.close()
}
main()
