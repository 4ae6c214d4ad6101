import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CommanderError, Command as Program } from 'commander';
import { type Args, type Command, UsageError } from './command';
import { deadLetters } from './commands/dead-letters';
import { demo } from './commands/demo';
import { leaks } from './commands/leaks';
import { list } from './commands/list';
import { cancel, release, resume } from './commands/requests';
import { reset } from './commands/reset';
import { retry } from './commands/retry';
import { run } from './commands/run';
import { show } from './commands/show';
import { up } from './commands/up';
import { type Io, processIo } from './io';
import { EBB, HOME } from './local-settings';

const LOCAL: readonly Command[] = [
  run,
  demo,
  up,
  list,
  show,
  cancel,
  resume,
  release,
  retry,
  leaks,
  deadLetters,
  reset,
];

const EXAMPLES = `
Examples:
  ${EBB} local demo --mode taskExport
  ${EBB} local run --command "python $PWD/train.py" --interrupt-after 20s

With --debug an error shows where it happened.
`;

/** Reads the command line, runs what it names, gives the exit code. */
export async function main(argv: readonly string[], io: Io): Promise<number> {
  let code = 0;
  const program = new Program('ebb')
    .description(
      'Ebbtide: fast storage for every AWS Batch run, for exactly as long as it needs it.',
    )
    .addHelpText('after', EXAMPLES)
    .version(version())
    .configureOutput({
      outputError: (text, write) => write(text.replace(/^error:/, 'ebb:')),
      writeOut: (text) => io.out(text.trimEnd()),
      writeErr: (text) => io.say(text.trimEnd()),
    })
    .showSuggestionAfterError()
    .exitOverride();
  const local = program
    .command('local')
    .description('the local cloud: real processes, real files, no account, no network')
    .exitOverride();
  for (const command of LOCAL) {
    attach(local, command, async (args) => {
      code = await command.run(args, io);
    });
  }
  const isDebug = argv.includes('--debug');
  const words = argv.filter((word) => word !== '--debug');
  try {
    if (words.length === 0) program.outputHelp();
    else if (words.length === 1 && words[0] === 'local') local.outputHelp();
    else await program.parseAsync(words, { from: 'user' });
    return code;
  } catch (error) {
    return failed(error as Error, isDebug, io);
  }
}

function version(): string {
  return JSON.parse(readFileSync(join(__dirname, '..', 'package.json'), 'utf8')).version;
}

function attach(parent: Program, command: Command, run: (args: Args) => Promise<void>): void {
  const { name, argument, summary, options } = command;
  const child = parent.command(argument ? `${name} ${argument}` : name).description(summary);
  for (const { flags, about, parse, default: value } of options) {
    if (parse) child.option(flags, about, (text: string) => parse(text), value);
    else child.option(flags, about);
  }
  child
    .option('--home <dir>', 'where the local cloud is', HOME)
    .option('--json', 'one JSON document on standard output', false)
    .exitOverride()
    .action(async (first: unknown) => {
      const word = typeof first === 'string' ? first : undefined;
      await run({ ...child.opts<{ home: string; json: boolean }>(), argument: word });
    });
}

/** Wrong usage is 2, anything else 1: said in a line, with the stack only for who asks. */
function failed(error: Error, isDebug: boolean, io: Io): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  io.say(isDebug ? (error.stack ?? error.message) : `ebb: ${error.message}`);
  if (error instanceof UsageError) return 2;
  if (!isDebug) io.say('Again with --debug for where it happened.');
  return 1;
}

/** Runs the command line of this process. */
export function start(): void {
  main(process.argv.slice(2), processIo()).then((code) => {
    process.exitCode = code;
  });
}

if (require.main === module) start();
