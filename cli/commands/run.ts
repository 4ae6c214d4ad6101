import type { Interruption } from '../../sim/local';
import type { Args, Command } from '../command';
import { finish, live, type Wish } from '../live';
import { parseDuration, parseSpeed, parseWhole } from '../options';
import { requestOf } from '../request-file';
import { openSession } from '../session';

/** Runs a request in the local cloud, from its first event to its last. */
export const run: Command = {
  name: 'run',
  summary: 'run the sample job, or your own, on storage of its own, and watch it',
  options: [
    { flags: '--mode <mode>', about: 'onlyEBS (the default), taskExport or autoExport' },
    {
      flags: '--request <file>',
      about: 'what to run, as JSON: { "jobs": [...], "parameters": {...} }; - is standard input',
    },
    { flags: '--command <command>', about: "your own job's command, in a shell on the storage" },
    {
      flags: '--array <size>',
      about: 'run the job as so many tasks on one file system, in a Lustre mode',
      parse: parseWhole('--array', 2, 10_000),
    },
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
    const detail = requestOf(args);
    const runId = detail.runId ?? newRunId();
    const session = await openSession(args.home, 'ebb local run', io);
    try {
      const wish: Wish = {
        runId: String(runId),
        begin: ({ cloud }) => cloud.request({ ...detail, runId }),
        nextInterruption: interruptionsOf(args),
        greeting: greeting(args),
      };
      const stage = { session, args, io };
      return finish(await live(wish, stage), stage);
    } finally {
      session.release();
    }
  },
};

/** Time first, so that ids sort by age. */
function newRunId(): string {
  return `run-${Date.now().toString(36)}`;
}

/** Moments for --interrupt: soon enough for a short job, and never the same. */
const AFTER_MS = { min: 1500, max: 4500 };
/** The tasks of an array are shorter. */
const TASK_AFTER_MS = { min: 500, max: 1500 };

function interruptionsOf({
  interrupt,
  interruptAfter,
  array,
}: Args): () => Interruption | undefined {
  const afterMs = interruptAfter as number | undefined;
  const count = (interrupt as number | undefined) ?? (afterMs === undefined ? 0 : 1);
  let begun = 0;
  return () => {
    begun += 1;
    if (begun > count) return undefined;
    const { min, max } = array === undefined ? AFTER_MS : TASK_AFTER_MS;
    const random = min + Math.random() * (max - min);
    return { afterMs: afterMs ?? random, isWarned: begun % 2 === 1 };
  };
}

function greeting({ speed, interrupt, interruptAfter, dropEvents }: Args): string {
  const count = (interrupt as number | undefined) ?? (interruptAfter === undefined ? 0 : 1);
  const pace = speed === 1 ? 'at their real pace' : `${speed} times faster than on AWS`;
  const spot = count > 0 ? `, ${count} Spot interruption${count === 1 ? '' : 's'}` : '';
  const loss = dropEvents ? ", AWS's own events lost" : '';
  return `A run in the local cloud: waits go by ${pace}${spot}${loss}. Times are as on AWS.`;
}
