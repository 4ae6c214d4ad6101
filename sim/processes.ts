import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { commandOf } from '../events';
import type { Home } from './home';
import type { Container, Containers, Exit, Task } from './hosts';

/** What an image is locally: the command that its container would run, and its environment. */
export interface LocalImage {
  readonly command: readonly string[];
  readonly environment: { readonly [name: string]: string };
}

interface Parts {
  readonly home: Home;
  readonly imageOf: (name: string) => LocalImage | undefined;
}

/**
 * Containers that are processes: the job's command in the volume's folder, with the environment
 * that a host gives it, killed as a whole.
 */
export function processContainers({ home, imageOf }: Parts): Containers {
  return {
    start(task) {
      const image = imageOf(task.wanted.spec.image);
      const command = commandOf(task.wanted.spec) ?? image?.command;
      if (!command) return refused(`no local command stands for image ${task.wanted.spec.image}`);
      const mark = `EBBTIDE_LOCAL_HOST=${task.host}`;
      const cwd = home.dataOf(task.wanted.storage);
      const log = logOf(home, `${task.jobId}/${task.batchAttempt}`);
      mkdirSync(dirname(log), { recursive: true });
      const env = environmentOf(task, { home, image, cwd });
      return hosted({ command, cwd, env, log, mark });
    },
  };
}

/** Where the output of an attempt lies, by its log stream. */
export function logOf({ logs }: Home, logStream: string): string {
  return join(logs, `${logStream}.log`);
}

interface Work {
  readonly command: readonly string[];
  readonly cwd: string;
  readonly env: { readonly [name: string]: string | undefined };
  readonly log: string;
  readonly mark: string;
}

function hosted(work: Work): Container {
  const host: ChildProcess = spawn(process.execPath, [join(__dirname, 'host-process.js')], {
    detached: true,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const { stdin, stdout } = host;
  if (!stdin || !stdout) throw new Error('the host has no standard input or output');
  // A host that is gone cannot be told anything, and need not be.
  stdin.on('error', () => {});
  stdin.write(`${JSON.stringify(work)}\n`);
  const lines = createInterface({ input: stdout });
  const started = new Promise<void>((resolve) => {
    lines.on('line', (line) => {
      if (line === 'started') resolve();
    });
  });
  const exit = new Promise<Exit>((resolve) => {
    lines.on('line', (line) => {
      if (line !== 'started') resolve(JSON.parse(line));
    });
    // It says how the job ended, unless it was killed itself.
    host.on('close', () => resolve({ started: true, exitCode: 137 }));
  });
  return {
    started,
    exit,
    terminate: () => void stdin.write('SIGTERM\n'),
    kill: () => void stdin.write('SIGKILL\n'),
  };
}

/**
 * What the job finds: our variables over the request's over the image's over the person's own, but
 * nothing that would let a rehearsal reach a real account.
 */
function environmentOf(
  { jobId, wanted, host, batchAttempt, attempt, interrupted, index }: Task,
  { home, image, cwd }: { home: Home; image?: LocalImage; cwd: string },
): Work['env'] {
  const own = Object.entries(process.env).filter(([name]) => !/^(AWS_|EBBTIDE_)/.test(name));
  return {
    ...Object.fromEntries(own),
    ...NO_ACCOUNT,
    ...image?.environment,
    ...wanted.spec.environment,
    PATH: `${home.bin}${delimiter}${process.env.PATH ?? ''}`,
    AWS_BATCH_JOB_ID: jobId,
    AWS_BATCH_JOB_ATTEMPT: String(batchAttempt),
    AWS_BATCH_JQ_NAME: `ebbtide-${wanted.zone}`,
    S3_BUCKET_NAME: wanted.results.bucket,
    EBBTIDE_RESULTS_PREFIX: wanted.results.prefix,
    EBBTIDE_RUN_ID: wanted.runId,
    EBBTIDE_STORAGE: wanted.storage,
    EBBTIDE_STORAGE_DIR: cwd,
    EBBTIDE_ATTEMPT: String(attempt),
    EBBTIDE_INTERRUPTED: interrupted ? '1' : '0',
    ...(index === undefined ? {} : { AWS_BATCH_JOB_ARRAY_INDEX: String(index) }),
    ...(wanted.hasInput ? { EBBTIDE_INPUT_DIR: home.inputOf(wanted.storage) } : {}),
    ...(wanted.upload === undefined ? {} : { EBBTIDE_UPLOAD: wanted.upload }),
    EBBTIDE_LOCAL_BUCKETS: home.buckets,
    EBBTIDE_LOCAL_HOST: host,
  };
}

/** Where a tool of AWS looks for an account, it finds none, and nobody answers. */
const NO_ACCOUNT = {
  AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
  AWS_CONFIG_FILE: '/dev/null',
  AWS_EC2_METADATA_DISABLED: 'true',
  AWS_ENDPOINT_URL: 'http://127.0.0.1:9',
};

function refused(reason: string): Container {
  const exit: Exit = { started: false, reason: `CannotStartContainerError: ${reason}` };
  const started = new Promise<void>(() => {});
  return { started, exit: Promise.resolve(exit), terminate() {}, kill() {} };
}
