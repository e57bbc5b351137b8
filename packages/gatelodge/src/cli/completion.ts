import type { Command, Option, Options } from './command.ts'
import { commonOptions, settingOptions } from './parse.ts'

export const shells = ['bash', 'zsh', 'fish'] as const

export type Shell = (typeof shells)[number]

/** Returns a script that completes commands, flags and fixed values in a shell, and file names where anything can follow. */
export function completionScript(shell: Shell, commands: readonly Command[]): string {
  return scripts[shell](commands)
}

/** The flags that every command accepts. */
const everywhere: Options = { ...commonOptions, ...settingOptions }

const scripts = { bash, zsh, fish } satisfies Record<Shell, (commands: readonly Command[]) => string>

function bash(commands: readonly Command[]): string {
  return `# Load it with: source <(gatelodge completion bash)
_gatelodge() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD - 1]} choices= at= skip= word
  # bash splits --flag=value into three words.
  if [[ $cur == = ]]; then cur=; elif [[ $prev == = ]]; then prev=\${COMP_WORDS[COMP_CWORD - 2]}; fi
  local given=("\${COMP_WORDS[@]:1:COMP_CWORD-1}")
${choosing(commands)}
  COMPREPLY=($(compgen -W "$choices" -- "$cur"))
}
complete -o default -F _gatelodge gatelodge`
}

function zsh(commands: readonly Command[]): string {
  return `#compdef gatelodge
# Load it with: source <(gatelodge completion zsh)
_gatelodge() {
  local cur=\${words[CURRENT]} prev=\${words[CURRENT-1]} choices= at= skip= word
  if [[ $cur == --*=* ]]; then prev=\${cur%%=*}; compset -P '*='; fi
  local -a given=("\${(@)words[2,CURRENT-1]}")
${choosing(commands)}
  if [[ -n $choices ]]; then compadd -- \${=choices}; else _files; fi
}
if [[ \${funcstack[1]} == _gatelodge ]]; then _gatelodge "$@"; else compdef _gatelodge gatelodge; fi`
}

/** Returns the lines for bash and zsh that set `choices` from the words before the current one. */
function choosing(commands: readonly Command[]): string {
  const own = commands.flatMap(({ name, options }) => valued(options).map((entry) => [name, entry] as const))
  const fixed = valued(everywhere).filter(([, { choices }]) => choices)
  const free = valued(everywhere).filter(([, { choices }]) => !choices)
  const values = [
    ...own.map(([name, [flag, { choices = [] }]]) => `    '${name} '*--${flag}) choices='${choices.join(' ')}' ;;`),
    ...fixed.map(([flag, { choices = [] }]) => `    *' --${flag}') choices='${choices.join(' ')}' ;;`),
    `    ${free.map(([flag]) => `*' --${flag}'`).join(' | ')}) ;;`,
  ]
  const flags = commands
    .filter(({ options }) => Object.keys(options).length > 0)
    .map(({ name, options }) => `        '${name}' | '${name} '*) choices="${flagsOf(options)} $everywhere" ;;`)
  const words = [...wordsBelow(commands)].map(([at, below]) => `        '${at}') choices='${below.join(' ')}' ;;`)
  return `  local everywhere='${flagsOf(everywhere)}'
  for word in "\${given[@]}"; do
    if [[ $word == = ]]; then skip=1; continue; fi
    if [[ -n $skip ]]; then skip=; continue; fi
    case $word in
      ${valueFlags(commands).join(' | ')}) skip=1 ;;
      -*) ;;
      *) at=\${at:+$at }$word ;;
    esac
  done
  case "$at $prev" in
${values.join('\n')}
    *)
      if [[ $cur == -* ]]; then case $at in
${flags.join('\n')}
        *) choices=$everywhere ;;
      esac; else case $at in
${words.join('\n')}
      esac; fi ;;
  esac`
}

function fish(commands: readonly Command[]): string {
  const words = [...wordsBelow(commands)].flatMap(([at, below]) =>
    below.map(
      (word) => `complete -c gatelodge -n "__gatelodge_is '${at}'" -f -a ${word}${described(at, word, commands)}`,
    ),
  )
  const own = commands.flatMap(({ name, options }) =>
    Object.entries(options).map((entry) => fishFlag(entry, [`__gatelodge_below '${name}'`])),
  )
  const common = Object.entries(everywhere).map((entry) => {
    const others = commands
      .filter(({ options }) => entry[0] in options)
      .map(({ name }) => `not __gatelodge_below '${name}'`)
    return fishFlag(entry, others)
  })
  return `# Load it with: gatelodge completion fish | source
function __gatelodge_words
    set -l skip 0
    set -l given (commandline -opc)
    set -e given[1]
    for word in $given
        if test $skip = 1
            set skip 0
            continue
        end
        switch $word
            case ${valueFlags(commands).join(' ')}
                set skip 1
            case '-*'
            case '*'
                echo $word
        end
    end
end
function __gatelodge_is
    set -l words (__gatelodge_words)
    test "$words" = "$argv"
end
function __gatelodge_below
    set -l words (__gatelodge_words)
    string match -q -- "$argv *" "$words "
end
${[...words, ...own, ...common].join('\n')}`
}

function fishFlag([flag, { value, short, choices, doc }]: [string, Option], conditions: readonly string[]): string {
  const parts = [
    ...(conditions.length > 0 ? [`-n "${conditions.join('; and ')}"`] : []),
    ...(short === undefined ? [] : [`-s ${short}`]),
    `-l ${flag}`,
    ...(value === undefined ? ['-f'] : ['-r']),
    ...(choices === undefined ? [] : [`-f -a '${choices.join(' ')}'`]),
    `-d ${quoted(doc)}`,
  ]
  return `complete -c gatelodge ${parts.join(' ')}`
}

function described(at: string, word: string, commands: readonly Command[]): string {
  const found = commands.find(({ name }) => name === `${at} ${word}`.trim())
  return found ? ` -d ${quoted(found.summary)}` : ''
}

/** Returns the first sentence of a text for fish, where a list has one line for each. */
function quoted(text: string): string {
  const [sentence = ''] = text.split(/\.(?: |$)/, 1)
  return `'${sentence.replaceAll('`', '').replace(/[\\']/g, '\\$&')}'`
}

/** Returns the words that may follow others: commands, subcommands, what `help` is about, and operands with fixed values. */
function wordsBelow(commands: readonly Command[]): Map<string, string[]> {
  const paths = commands.flatMap(({ name, operands }) => {
    const fixed = operands[0]?.match(/^[a-z|]+$/) ? operands[0].split('|').map((word) => `${name} ${word}`) : []
    return [name, `help ${name}`, ...fixed]
  })
  const below = new Map<string, Set<string>>()
  for (const path of paths) {
    const words = path.split(' ')
    for (const [index, word] of words.entries()) {
      const at = words.slice(0, index).join(' ')
      below.set(at, (below.get(at) ?? new Set()).add(word))
    }
  }
  return new Map([...below].map(([at, words]) => [at, [...words]]))
}

function valued(options: Options): [string, Option][] {
  return Object.entries(options).filter(([, { value }]) => value !== undefined)
}

function valueFlags(commands: readonly Command[]): string[] {
  const all = Object.assign({}, everywhere, ...commands.map(({ options }) => options))
  return valued(all).map(([flag]) => `--${flag}`)
}

function flagsOf(options: Options): string {
  const forms = Object.entries(options).map(([flag, { short }]) => [
    `--${flag}`,
    ...(short === undefined ? [] : [`-${short}`]),
  ])
  return forms.flat().join(' ')
}
