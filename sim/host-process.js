/**
 * The host of one local job: starts it as a process group of its own, hands it signals, says how it
 * ended, and takes it along when the local cloud goes, however that goes: the cloud holds the other
 * end of standard input, and the end of that is the end of the job. Plain JavaScript, because it is
 * started for every attempt and must not wait for a compiler.
 *
 * In, line by line: first the task as JSON, then SIGTERM or SIGKILL. Out: the line "started",
 * where it did, and the exit as JSON.
 */
const { spawn } = require('node:child_process');
const { openSync, readdirSync, readFileSync } = require('node:fs');
const { constants } = require('node:os');
const { createInterface } = require('node:readline');

// Ctrl-C is the cloud's to answer.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => {});
// Nobody may be listening any more.
process.stdout.on('error', () => {});

let job;
let mark;

createInterface({ input: process.stdin })
  .on('line', (line) => {
    if (!job) start(JSON.parse(line));
    else if (line === 'SIGTERM') signalMain();
    else killAll();
  })
  .on('close', () => {
    killAll();
    process.exit();
  });

function start({ command: [program, ...args], cwd, env, log, mark: own }) {
  mark = own;
  const output = openSync(log, 'a');
  job = spawn(program, args, { cwd, env, detached: true, stdio: ['ignore', output, output] });
  job.on('spawn', () => process.stdout.write('started\n'));
  job.on('error', (error) => leave({ started: false, reason: refusal(program, error) }));
  job.on('exit', (code, signal) => {
    // A container takes everything that it started along.
    killAll();
    leave({ started: true, exitCode: code ?? 128 + constants.signals[signal] });
  });
}

/** As Docker does it: the job's main process hears SIGTERM, and nobody else. */
function signalMain() {
  if (job.pid) attempt(() => process.kill(job.pid, 'SIGTERM'));
}

function killAll() {
  if (!job?.pid) return;
  attempt(() => process.kill(-job.pid, 'SIGKILL'));
  for (const pid of strays()) attempt(() => process.kill(pid, 'SIGKILL'));
}

/** Processes that left the group but still carry the job's mark; only where there is a /proc. */
function strays() {
  const pids = attempt(() => readdirSync('/proc').filter((name) => /^\d+$/.test(name))) ?? [];
  return pids
    .map(Number)
    .filter((pid) => pid !== process.pid)
    .filter((pid) => attempt(() => readFileSync(`/proc/${pid}/environ`, 'latin1').includes(mark)));
}

/** Processes come and go while one looks: what is not there any more needs nothing. */
function attempt(work) {
  try {
    return work();
  } catch {
    return undefined;
  }
}

function refusal(program, { code }) {
  const why = code === 'ENOENT' ? 'executable file not found' : code;
  return `CannotStartContainerError: ${program}: ${why}`;
}

function leave(exit) {
  process.stdout.write(`${JSON.stringify(exit)}\n`, () => process.exit());
}
