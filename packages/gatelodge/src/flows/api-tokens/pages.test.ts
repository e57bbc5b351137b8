import assert from 'node:assert/strict'
import { test } from 'node:test'
import { forEachDatabase, testApp } from '../../../test/support/app.ts'
import { Visitor } from '../../../test/support/visitor.ts'
import { minute } from '../../kernel/clock.ts'

const list = '/account/tokens'

forEachDatabase('API tokens page', (engine) => {
  test('creates a token that is shown once, lists it and revokes it', async () => {
    await using app = await testApp({ engine })
    const { headers } = await app.client()
    const visitor = await new Visitor(app).signIn(await app.user())
    assert.match((await visitor.get(list)).text, /There are no API tokens/)

    const fields = { name: '<b>script</b>', scopes: 'files:read  files:write', expires_in: '7' }
    const made = await visitor.send(await visitor.get(list), fields, `${list}/new`)
    assert.equal(made.at, list)
    const token = /gatelodge_pat_[\w-]{22}\.[\w-]{43}/.exec(made.html)?.[0] ?? ''
    const told = await app.introspect(token, headers)
    assert.deepEqual([told.scope, told.exp - told.iat], ['files:read files:write', 7 * 86_400])

    const again = await visitor.get(list)
    assert.doesNotMatch(again.html, /gatelodge_pat_|<b>script/)
    assert.match(again.text, /script/)
    const revoked = await visitor.send(again, {}, `${list}/revoke`)
    assert.match(revoked.text, /The token is revoked/)
    assert.deepEqual(await app.introspect(token, headers), { active: false })
    const late = await visitor.send(again, {}, `${list}/revoke`)
    assert.match(late.text, /revoked or has expired already/)
  })

  test('the form says what is wrong, and keeps what was typed', async () => {
    await using app = await testApp({ engine })
    const visitor = await new Visitor(app).signIn(await app.user())
    const refused = await visitor.fill(`${list}/new`, { name: 'x'.repeat(65), scopes: 'é', expires_in: '90' })
    assert.equal(refused.status, 400)
    assert.match(refused.html, /<input[^>]*name="name"[^>]*aria-invalid="true"/)
    const { scopes, expires_in } = refused.form(`${list}/new`)
    assert.deepEqual([scopes, expires_in], ['é', '90'])
    const scope = await visitor.send(refused, { name: 'x' }, `${list}/new`)
    assert.match(scope.html, /<input[^>]*name="scopes"[^>]*aria-invalid="true"/)
    assert.deepEqual(await app.rows('api_tokens'), [])
  })

  test('requires a fresh proof, and returns', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user()
    const visitor = await new Visitor(app).signIn(ada)
    app.clock.advance(20 * minute)
    const asked = await visitor.fill(`${list}/new`, { name: 'x' })
    assert.match(asked.at, /^\/account\/reauthenticate\?next=/)
    const back = await visitor.send(asked, { password: ada.password }, '/account/reauthenticate')
    assert.match(back.at, /^\/account\/tokens/)
    assert.equal((await visitor.fill(`${list}/new`, { name: 'x' })).at, list)
  })
})
