import type { Run } from '../../events';
import { type Interruption, type Local, leftoversIn, notesOf, openLocal } from '../../sim/local';
import { closing } from '../closing';
import { type Args, type Command, UsageError } from '../command';
import { type Followed, follow } from '../follow';
import type { Io } from '../io';
import { localImage, localSettings } from '../local-settings';
import { parseDuration, parseSpeed, parseWhole } from '../options';
import { type Report, reportOf } from '../report';
import { requestOf } from '../request-file';
import { resultsOf } from '../results';
import { openSession, putInOrder, type Session } from '../session';
import { warningsOf } from '../warnings';

const INTERRUPTED_EXIT = 130;

/** Runs a request in the local cloud, from its first event to its last. */
export const run: Command = {
  name: 'run',
  summary: 'run the sample job, or your own, on a volume of its own, and watch it',
  options: [
    { flags: '--mode <mode>', about: 'onlyEBS (the Lustre modes do not run locally yet)' },
    {
      flags: '--request <file>',
      about: 'what to run, as JSON: { "jobs": [...], "parameters": {...} }; - is standard input',
    },
    { flags: '--command <command>', about: "your own job's command, in a shell on the volume" },
    {
      flags: '--interrupt <count>',
      about: 'Spot interruptions at random moments; every second one comes without a warning',
      parse: parseWhole('--interrupt', 0, 20),
    },
    {
      flags: '--interrupt-after <time>',
      about: 'interrupt after so much work of an attempt, like 20s',
      parse: parseDuration,
    },
    {
      flags: '--timeout <time>',
      about: "the job's time limit, at least 60s; divided by the speed like every wait",
      parse: parseDuration,
    },
    {
      flags: '--speed <factor>',
      about:
        "how much faster the cloud's waits go by; 1 is the real pace. Never your job's own work",
      parse: parseSpeed,
      default: 60,
    },
    {
      flags: '--drop-events',
      about: 'lose every event that AWS sends: a run must not depend on them',
    },
  ],
  async run(args, io) {
    const detail = requestOf(additionsOf(args));
    if (detail.mode === 'taskExport' || detail.mode === 'autoExport') {
      throw new UsageError(`${detail.mode} does not run in the local cloud yet: try onlyEBS`);
    }
    const runId = detail.runId ?? newRunId();
    const session = await openSession(args.home, 'ebb local run', io);
    try {
      return await runIn(session, { ...detail, runId }, args, io);
    } finally {
      session.release();
    }
  },
};

async function runIn(
  { home, release }: Session,
  detail: { readonly runId: unknown },
  args: Args,
  io: Io,
): Promise<number> {
  const speed = Number(args.speed);
  const local: { current?: Local } = {};
  const watch = follow({ home, io, isQuiet: args.json });
  local.current = openLocal({
    home,
    speed,
    settings: localSettings(),
    imageOf: localImage,
    dropsEvents: args.dropEvents === true,
    nextInterruption: interruptionsOf(args),
    ...watch.listeners,
  });
  const undo = onSignals(async () => {
    local.current?.close();
    io.say('Stopping: the job is killed, and its run is being cancelled.');
    await putInOrder(home, leftoversIn(home), io);
    release();
  });
  io.say(greeting(speed, args));
  local.current.cloud.request(detail);
  const followed = await watch.ended(local.current, String(detail.runId));
  local.current.close();
  undo();
  return finish(followed, { home, args, io });
}

function finish(
  followed: Followed,
  { home, args, io }: { home: Session['home']; args: Args; io: Io },
): number {
  const { run: over, events, note } = followed;
  const notes = notesOf(home, over.id);
  const report = reportOf(events, notes);
  const results = resultsOf(over, home);
  const warnings = [...warningsOf(over, home, notes), ...neverCame(args, report)];
  const isGood = over.status === 'succeeded' && results.verdict.kind !== 'wrong' && !note;
  const all = { run: over, report, results, warnings, note };
  if (args.json) io.out(JSON.stringify({ ...all, events }, null, 2));
  else for (const line of closing({ ...all, home, io })) io.out(line);
  return isGood ? 0 : 1;
}

/** Interruptions that somebody asked for, and that found no job to interrupt. */
function neverCame({ interrupt, interruptAfter }: Args, { interruptions }: Report): string[] {
  const asked = (interrupt as number | undefined) ?? (interruptAfter === undefined ? 0 : 1);
  const missing = asked - interruptions.warned - interruptions.unwarned;
  if (missing <= 0) return [];
  return [`${missing} of ${asked} interruptions never came: the job was over before.`];
}

function additionsOf({ request, mode, command, timeout }: Args) {
  return {
    request: request as string | undefined,
    mode: mode as string | undefined,
    command: command as string | undefined,
    timeoutMs: timeout as number | undefined,
  };
}

/** Time first, so that ids sort by age. */
function newRunId(): Run['id'] {
  return `run-${Date.now().toString(36)}`;
}

/** Moments for --interrupt: soon enough for a short job, and never the same. */
const AFTER_MS = { min: 1500, max: 4500 };

function interruptionsOf({ interrupt, interruptAfter }: Args): () => Interruption | undefined {
  const afterMs = interruptAfter as number | undefined;
  const count = (interrupt as number | undefined) ?? (afterMs === undefined ? 0 : 1);
  let begun = 0;
  return () => {
    begun += 1;
    if (begun > count) return undefined;
    const random = AFTER_MS.min + Math.random() * (AFTER_MS.max - AFTER_MS.min);
    return { afterMs: afterMs ?? random, isWarned: begun % 2 === 1 };
  };
}

function greeting(speed: number, { interrupt, interruptAfter, dropEvents }: Args): string {
  const count = (interrupt as number | undefined) ?? (interruptAfter === undefined ? 0 : 1);
  const pace = speed === 1 ? 'at their real pace' : `${speed} times faster than on AWS`;
  const spot = count > 0 ? `, ${count} Spot interruption${count === 1 ? '' : 's'}` : '';
  const loss = dropEvents ? ", AWS's own events lost" : '';
  return `A run in the local cloud: waits go by ${pace}${spot}${loss}. Times are as on AWS.`;
}

/** Answers Ctrl-C once with an orderly end, and the second time with an end. */
function onSignals(tidyUp: () => Promise<void>): () => void {
  let isStopping = false;
  const stop = () => {
    if (isStopping) process.exit(INTERRUPTED_EXIT);
    isStopping = true;
    tidyUp().finally(() => process.exit(INTERRUPTED_EXIT));
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.on(signal, stop);
  return () => {
    for (const signal of signals) process.off(signal, stop);
  };
}
