'use strict'
// Gives messages that Sluice has opened or edited the form in which ssb-db has them: what was signed stands
// in value.meta.original, and ssb-db puts it back before it gives a message to another peer. Without that
// plaintext would be replicated.

module.exports = function asSsbDb (message, stored) {
  const { meta, edited, blobs, ...rest } = message
  const isOpened = Boolean(meta) && meta.private === true
  if (!isOpened && !edited) return rest
  const original = isOpened ? { value: { content: meta.originalContent } } : stored()
  if (!original) return rest // It is being appended, and read by nobody yet but views.
  const { content } = original.value
  const value = { ...rest.value, meta: { original: { content } } }
  if (isOpened) Object.assign(value.meta, { private: true })
  if (isOpened) Object.assign(value, { private: true, cyphertext: content })
  return { ...rest, value }
}
