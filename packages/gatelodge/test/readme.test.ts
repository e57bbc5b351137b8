import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { commandFolder, npmFunction } from './support/cli.ts'
import { blocksOf, markdownSection, pagesWithCommands } from './support/markdown.ts'

for (const { file, section } of pagesWithCommands) {
  test(`the commands of ${file} do what it prints`, async () => {
    const page = readFileSync(fileURLToPath(new URL(`../../../${file}`, import.meta.url)), 'utf8')
    const steps = stepsOf(section === undefined ? page : markdownSection(page, section))
    assert.ok(steps.length > 0)

    await using folder = commandFolder()
    const server = await folder.serve()
    const outputs = await runInOneShell(folder.path, steps, server.started.listen.port)
    for (const [index, { command, expected }] of steps.entries()) {
      const output = outputs[index] ?? ''
      if (expected !== undefined) assert.match(output.trim(), patternOf(expected), command)
    }
    assert.equal(await server.end(), 0)
  })
}

interface Step {
  readonly command: string
  /** The output that the page shows below the command; `...` stands for anything. */
  readonly expected: string | undefined
}

/** Returns the commands of a page in order, each with the `text` block that follows it. */
function stepsOf(page: string): Step[] {
  const blocks = blocksOf(page)
  return blocks.flatMap(({ language, body }, index) => {
    const next = blocks[index + 1]
    return language === 'sh' ? [{ command: body, expected: next?.language === 'text' ? next.body : undefined }] : []
  })
}

/** Returns the output of each step. Every command must succeed; variables set by one step are available in the next. */
async function runInOneShell(cwd: string, steps: readonly Step[], port: number): Promise<string[]> {
  const mark = '--- end of step ---'
  const lines = ['set -eu', npmFunction()]
  for (const { command } of steps)
    lines.push(command.replaceAll('localhost:3000', `localhost:${port}`), `echo; echo '${mark}'`)

  const shell = spawn('bash', [], { cwd, stdio: ['pipe', 'pipe', 'pipe'] })
  const done = Promise.all([text(shell.stdout), text(shell.stderr), once(shell, 'exit')])
  shell.stdin.end(`${lines.join('\n')}\n`)
  const [stdout, stderr, [status]] = await done
  assert.equal(status, 0, `${stdout}\n${stderr}`)
  return stdout.replaceAll(`localhost:${port}`, 'localhost:3000').split(mark)
}

function patternOf(expected: string): RegExp {
  const literals = expected
    .trim()
    .split('...')
    .map((part) => part.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&'))
  return new RegExp(`^${literals.join('[^]*')}$`)
}
