import { mkdirSync } from 'node:fs';
import { relative } from 'node:path';
import { deploymentProblems, REQUESTS_PREFIX, type RunEvent, schedulesOf } from '../../events';
import { openLocal } from '../../sim/local';
import { leftoversIn } from '../../sim/tidy';
import { type Command, UsageError } from '../command';
import { timelineLine } from '../format';
import type { Io } from '../io';
import { onSignals } from '../live';
import { localImage, localSettings, localVcpus } from '../local-settings';
import { parseSpeed } from '../options';
import { openSession, putInOrder } from '../session';

/** Keeps a local cloud at work: uploads and schedules start runs in it, until Ctrl-C. */
export const up: Command = {
  name: 'up',
  summary: 'keep a local cloud at work, in which uploads and schedules start runs',
  options: [
    {
      flags: '--speed <factor>',
      about:
        "how much faster the cloud's waits go by; 1 is the real pace. Never your job's own work",
      parse: parseSpeed,
      default: 60,
    },
  ],
  async run({ home: path, speed, json }, io) {
    const session = await openSession(path, 'ebb local up', io);
    const { home } = session;
    const settings = () => localSettings(home);
    const schedules = schedulesOf(settings());
    const problems = deploymentProblems(settings());
    if (problems.length > 0) {
      session.release();
      throw new UsageError(`cdk.json cannot be used:\n${problems.join('\n')}`);
    }
    const say = sayer(json, io);
    const local = openLocal({
      home,
      speed: Number(speed),
      settings,
      imageOf: localImage,
      maxVcpus: localVcpus(),
      isOpen: true,
      takesRequests: true,
      schedules,
      onEvent: say,
    });
    const intake = relative(process.cwd(), `${home.buckets}/intake/requests`);
    mkdirSync(`${home.buckets}/intake/${REQUESTS_PREFIX}`, { recursive: true });
    io.say(`A local cloud at work, waits and times ${speed} times faster than on AWS.`);
    io.say('Ctrl-C ends it: runs under way are cancelled, and their volumes go.');
    io.say(`Drop a request: ${intake}/NAME.json; its answer is left beside it.`);
    for (const { name, expression } of schedules) io.say(`Schedule ${name}: ${expression}`);
    return new Promise(() => {
      onSignals(async () => {
        local.close();
        io.say('Stopping: what runs is killed, and its runs are being cancelled.');
        await putInOrder(home, leftoversIn(home), io);
        session.release();
      });
      // Something must keep the process: the cloud's own timers do not.
      setInterval(() => {}, 2 ** 30);
    });
  },
};

/** A line per event, with its run; or a JSON document per line. */
function sayer(isJson: boolean, io: Io): (event: RunEvent) => void {
  const begun = new Map<string, number>();
  return (event) => {
    if (isJson) return io.out(JSON.stringify(event));
    const at = Date.parse(event.time);
    if (!begun.has(event.runId)) begun.set(event.runId, at);
    io.out(`${event.runId}${timelineLine(at - (begun.get(event.runId) ?? at), event)}`);
  };
}
