import type { Command } from './command.js';
import { EXIT, UsageError } from './faults.js';
import { readOptions } from './options.js';
import { readSynopsis } from './synopsis.js';

/** The commands from which a script is made. */
type Described = Pick<Command, 'name' | 'summary' | 'usage'>;

const SCRIPTS: Readonly<Record<string, (commands: readonly Described[]) => string>> = {
  bash: writeBash,
  zsh: writeZsh,
  fish: writeFish,
};
const SHELLS = Object.keys(SCRIPTS);

/** Makes `openclaw completion`, which prints a script for a shell. @param list returns the commands that it completes */
export function makeCompletion(list: () => readonly Described[]): Command {
  return {
    name: 'completion',
    summary: 'a script with which a shell completes commands and flags',
    usage: `Usage: openclaw completion ${SHELLS.join('|')}

Prints a script for the shell, which completes commands, their actions and their flags:

  bash  in ~/.bashrc: source <(openclaw completion bash)
  zsh   as a file _openclaw in a folder of $fpath
  fish  in ~/.config/fish/completions/openclaw.fish

Examples:
  openclaw completion bash > /etc/bash_completion.d/openclaw
  openclaw completion fish > ~/.config/fish/completions/openclaw.fish
`,
    async run(args, { stdout }) {
      const { positionals } = readOptions('completion', args, {}, true);
      const [shell, extra] = positionals;
      if (extra !== undefined) throw new UsageError(`Unexpected argument ${extra}`, 'completion');
      const write = shell === undefined ? undefined : SCRIPTS[shell];
      if (!write)
        throw new UsageError(`completion knows ${SHELLS.join(', ')}, not ${shell ?? 'nothing'}`, 'completion');
      stdout.write(write(list()));
      return EXIT.done;
    },
  };
}

function writeBash(commands: readonly Described[]): string {
  const cases = commands.map((command) => {
    const { actions, flags } = readSynopsis(command);
    return `    ${command.name}) actions='${actions.join(' ')}' flags='${flags.join(' ')}' ;;\n`;
  });
  return `# Completion of openclaw for bash.
_openclaw() {
  local word=\${COMP_WORDS[COMP_CWORD]} actions='' flags='' words
  case \${COMP_WORDS[1]} in
${cases.join('')}  esac
  if ((COMP_CWORD == 1)); then words='${commands.map(({ name }) => name).join(' ')}'
  elif [[ $word == -* ]]; then words=$flags
  elif ((COMP_CWORD == 2)); then words=$actions
  else words=''
  fi
  COMPREPLY=($(compgen -W "$words" -- "$word"))
}
complete -o default -F _openclaw openclaw
`;
}

function writeZsh(commands: readonly Described[]): string {
  const described = commands.map(({ name, summary }) => `    ${quote(`${name}:${summary}`)}\n`);
  const cases = commands.map((command) => {
    const { actions, flags } = readSynopsis(command);
    return `    ${command.name}) actions=(${actions.join(' ')}) flags=(${flags.join(' ')}) ;;\n`;
  });
  return `#compdef openclaw
# Completion of openclaw for zsh.
_openclaw() {
  local -a commands actions flags
  commands=(
${described.join('')}  )
  if ((CURRENT == 2)); then
    _describe command commands
    return
  fi
  case $words[2] in
${cases.join('')}  esac
  if [[ $PREFIX == -* ]]; then compadd -- $flags
  elif ((CURRENT == 3 && $#actions)); then compadd -- $actions
  else _files
  fi
}
compdef _openclaw openclaw
`;
}

function writeFish(commands: readonly Described[]): string {
  const lines = commands.flatMap((command) => {
    const { actions, flags } = readSynopsis(command);
    const seen = `-n '__fish_seen_subcommand_from ${command.name}'`;
    const first = `-n 'test (count (commandline -opc)) -eq 2; and __fish_seen_subcommand_from ${command.name}'`;
    return [
      `complete -c openclaw -f -n __fish_use_subcommand -a ${command.name} -d ${quote(command.summary)}`,
      ...(actions.length > 0 ? [`complete -c openclaw -f ${first} -a '${actions.join(' ')}'`] : []),
      ...flags.map((flag) => `complete -c openclaw ${seen} -l ${flag.slice(2)}`),
    ];
  });
  return `# Completion of openclaw for fish.\n${lines.join('\n')}\n`;
}

/** Quotes a text for all three shells: summaries have no backslash. */
function quote(text: string): string {
  return `'${text.replaceAll("'", `'"'"'`)}'`;
}
