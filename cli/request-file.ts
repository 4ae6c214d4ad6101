import { readFileSync } from 'node:fs';
import { type Args, UsageError } from './command';

/** The detail of a RunRequested: the file's, with what the command line says on top. */
export function requestOf(args: Args): { readonly [field: string]: unknown } {
  const { request, mode, command, timeout, array } = args;
  const detail = request === undefined ? {} : readRequestFile(String(request));
  const changes = {
    ...(command === undefined ? {} : { command: commandFor(String(command)) }),
    ...(timeout === undefined ? {} : { timeoutSeconds: Math.ceil(Number(timeout) / 1000) }),
    ...(array === undefined ? {} : { arraySize: array }),
  };
  const isChanged = Object.keys(changes).length > 0;
  return {
    ...detail,
    mode: mode ?? detail.mode ?? 'onlyEBS',
    ...(isChanged ? { jobs: changedJobs(detail.jobs, changes) } : {}),
  };
}

function commandFor(command: string): string[] {
  if (command.trim() === '') throw new UsageError('--command needs a command, got an empty text');
  return ['/bin/sh', '-c', inPlaceOfShell(command)];
}

/** What only a shell can do, at the beginning of a command. */
const SHELL_WORDS =
  /^\s*(exit|cd|trap|export|set|unset|source|eval|exec|wait|ulimit|umask|if|for|while|until|case|function|[.:!{(])(\s|$|;)/;

/**
 * A command for a shell that steps aside for the one program it starts: SIGTERM goes to the job's main
 * process alone, and a shell would keep it. Several commands stay with their shell.
 */
function inPlaceOfShell(command: string): string {
  const isSeveral = /[;&|\n`(){}]/.test(command) || SHELL_WORDS.test(command);
  return isSeveral ? command : `exec env ${command}`;
}

function readRequestFile(path: string): { readonly [field: string]: unknown } {
  let text: string;
  try {
    text = readFileSync(path === '-' ? 0 : path, 'utf8');
  } catch (error) {
    throw new UsageError(`cannot read --request ${path}: ${(error as Error).message}`);
  }
  const parsed = parseJson(text, path);
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    throw new UsageError(`--request ${path} must hold a JSON object, got ${text.slice(0, 40)}`);
  }
  if ('detail-type' in parsed) {
    throw new UsageError(`--request ${path} holds a whole event: pass its detail alone`);
  }
  // A JSON object has fields with names, whatever they hold.
  return parsed as { readonly [field: string]: unknown };
}

function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new UsageError(`--request ${path} is not JSON: ${(error as Error).message}`);
  }
}

/** The command line speaks of one job: it cannot say which of several it means. */
function changedJobs(jobs: unknown, changes: object): unknown {
  if (jobs === undefined) return [{ name: 'main', ...changes }];
  if (!Array.isArray(jobs) || jobs.length !== 1) {
    throw new UsageError(
      '--command, --timeout and --array need a request with one job: change the file instead',
    );
  }
  return [{ ...jobs[0], ...changes }];
}
