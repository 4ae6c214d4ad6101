import { ask } from '../ask';
import type { Command, Option } from '../command';
import { parseSpeed } from '../options';

const SPEED: Option = {
  flags: '--speed <factor>',
  about: "how much faster the cloud's waits go by, where this command has to go on with the run",
  parse: parseSpeed,
  default: 60,
};

/** Cancels a run: its jobs are terminated, and its storage goes as its parameters say. */
export const cancel: Command = {
  name: 'cancel',
  summary: 'stop a run: its jobs are terminated, its storage goes as its parameters say',
  argument: '<run>',
  options: [{ flags: '--reason <text>', about: 'why, for its journal' }, SPEED],
  run: ({ reason, ...args }, io) =>
    ask({ type: 'RunCancelRequested', detail: reason ? { reason } : {} }, args, io),
};

/** Resumes a retained run at the stage that failed, on the same storage. */
export const resume: Command = {
  name: 'resume',
  summary: 'go on with a retained run, at the stage that failed, on the same storage',
  argument: '<run>',
  options: [SPEED],
  run: (args, io) => ask({ type: 'RunResumeRequested', detail: {}, isAboutEnd: true }, args, io),
};

/** Gives a retained run's storage back before its time. */
export const release: Command = {
  name: 'release',
  summary: "give a retained run's storage back now",
  argument: '<run>',
  options: [
    { flags: '--discard', about: 'give up results that are not in S3: without it they are kept' },
    SPEED,
  ],
  run: ({ discard, ...args }, io) =>
    ask({ type: 'RunReleaseRequested', detail: discard ? { discard: true } : {} }, args, io),
};
