import assert from 'node:assert/strict'
import { test } from 'node:test'
import { forEachDatabase, type Person, type TestApp, testApp } from '../packages/gatelodge/test/support/app.ts'
import { createInbox, seeded, Thief } from '../packages/gatelodge/test/support/thief.ts'

const runs = process.env.PROOFS === 'quick' ? 4 : 50
/** The ms between two turns of the bot. */
const turn = 500
const fresh = 'the owner is back 2'

/** What the thief had done before the owner first looked. */
const startingPoints = {
  'a session was stolen': async () => {},
  'the password was changed': (thief) => thief.changePassword(),
  'an API token was created': (thief) => thief.createApiToken(),
  'the address was changed': async (thief) => {
    await thief.requestAddress()
    await thief.useMails()
  },
} as const satisfies Record<string, (thief: Thief) => Promise<void>>

/** An owner who only clicks in the emails and chooses a password. */
class Owner {
  readonly #app: TestApp
  readonly #inbox: ReturnType<typeof createInbox>
  readonly #links: { path: string; token: string }[] = []

  constructor(app: TestApp, { email }: Person) {
    this.#app = app
    this.#inbox = createInbox(app, email)
  }

  /** Clicks once: the newest link to a new password, otherwise the newest "this wasn't me". Returns whether a password was chosen. */
  async click(): Promise<boolean> {
    this.#links.push(...(await this.#inbox()))
    const newest = (path: RegExp) => this.#links.findLastIndex((link) => path.test(link.path))
    const index = [newest(/^\/reset-password$/), newest(/\/undo$/)].find((found) => found >= 0)
    if (index === undefined) return false

    const [link] = this.#links.splice(index, 1)
    assert.ok(link)
    if (link.path !== '/reset-password') {
      await this.#app.post(link.path, { token: link.token }, { ip: '198.51.100.4' })
      return false
    }
    const body = { token: link.token, new_password: fresh }
    return (await this.#app.post('/reset-password', body, { ip: '198.51.100.4' })).status === 200
  }
}

async function assertAlone(app: TestApp, owner: Person, thief: Thief): Promise<void> {
  const { headers } = await app.client(`service of ${owner.email}`)
  const told = await app.post(
    '/signin',
    { email: owner.email, password: fresh, session: 'cookie' },
    { ip: '198.51.100.4' },
  )
  assert.equal(told.status, 200, told.text)
  const cookie = told.cookie('gatelodge') ?? ''

  for (let turns = 0; turns < 10; turns += 1) {
    app.clock.advance(turn)
    await thief.act()
    await thief.deleteAccount()
  }
  const me = await app.get('/session', { cookie })
  assert.deepEqual([me.status, me.json.user?.email, me.json.user?.id], [200, owner.email, owner.id], me.text)
  assert.equal((await app.get('/me/sessions', { cookie })).json.sessions.length, 1)
  assert.deepEqual((await app.get('/me/tokens', { cookie })).json.tokens, [])
  for (const session of thief.loot.sessions) assert.equal((await app.get('/session', { cookie: session })).status, 401)
  for (const token of thief.loot.apiTokens) assert.equal((await app.introspect(token, headers)).active, false)
}

forEachDatabase('an owner against a thief who acts every half second', (engine) => {
  for (const [name, begin] of Object.entries(startingPoints)) {
    test(`ends up alone in the account when ${name}, in ${runs} of ${runs} runs`, async () => {
      for (let run = 1; run <= runs; run += 1) {
        await using app = await testApp({ engine })
        const random = seeded(run)
        const victim = await app.user()
        await app.cookie(victim) // the owner's own, long before
        const thief = new Thief(app, victim, await app.cookie(victim), random)
        await begin(thief)

        const owner = new Owner(app, victim)
        let waits = Math.floor(random() * 8)
        let isBack = false
        for (let turns = 0; turns < 60 && !isBack; turns += 1) {
          app.clock.advance(turn)
          const clicked = waits > 0 ? Promise.resolve(false) : owner.click()
          waits = waits > 0 ? waits - 1 : Math.floor(random() * 4)
          ;[isBack] = await Promise.all([clicked, thief.act()])
        }
        assert.ok(isBack, `run ${run}: the owner chose a password`)
        await assertAlone(app, victim, thief)
      }
    })
  }
})
