import type { TestEvent } from 'node:test/reporters'

/** A reporter that writes a JSON line for each test that ran to completion, for the evidence maps. */
export async function* ranTests(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  for await (const { type, data } of events) {
    if (type !== 'test:pass' || data.skip || data.todo || data.details.type === 'suite') continue
    yield `${JSON.stringify({ name: data.name, file: data.file })}\n`
  }
}

export { ranTests as default } // node --test uses the default export of a reporter
