import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { IncompleteSweep, type LeakReport } from '../../handlers/feeders/reaper';
import { until } from '../../sim/clock';
import { homeAt } from '../../sim/home';
import { openLocal } from '../../sim/local';
import { leaksIn } from '../../sim/tidy';
import type { Command } from '../command';
import { dollars, duration } from '../format';
import type { Io } from '../io';
import { localImage, localSettings } from '../local-settings';
import { openSession } from '../session';

/** Looks for storage that nobody owns, as the reaper does every hour. */
export const leaks: Command = {
  name: 'leaks',
  summary: 'look for storage that no run accounts for, with its price; --act deletes what is safe',
  options: [
    {
      flags: '--act',
      about: 'delete what is leaked and was an hour ago; never what no run is known of',
    },
  ],
  async run({ act, home: path, json }, io) {
    const home = homeAt(resolve(path));
    const report = await (act === true ? deleteLeaks(path, io) : leaksIn(home)).catch(reportOf);
    if (json) io.out(JSON.stringify(report, null, 2));
    else for (const line of linesOf(report)) io.out(line);
    return report.alarms.length > 0 ? 1 : 0;
  },
};

/** Only the wait for deletions is left, and it may go by as fast as it can. */
const SPEED = 2000;
const DELETION_MS_MAX = 10_000;

/** Deletes what is safe, and waits until it is gone. */
async function deleteLeaks(path: string, io: Io): Promise<LeakReport> {
  const session = await openSession(path, 'ebb local leaks', io);
  const { home } = session;
  const settings = () => localSettings(home);
  const local = openLocal({ home, speed: SPEED, settings, imageOf: localImage });
  try {
    const report = await local.cloud.reap('act');
    const deleted = report.items.filter(({ action }) => action === 'deleted');
    const isGone = async () =>
      !deleted.some(({ storageId }) => existsSync(home.folderOf(storageId)));
    await until(isGone, DELETION_MS_MAX);
    return report;
  } finally {
    local.close();
    session.release();
  }
}

/** A look that could not see everything still saw something. */
function reportOf(error: unknown): LeakReport {
  if (error instanceof IncompleteSweep) {
    return { ...error.report, alarms: [...error.report.alarms, error.message] };
  }
  throw error;
}

function linesOf({ seen, items, alarms, dollarsPerHour }: LeakReport): string[] {
  const told = alarms.map((alarm) => `ALARM: ${alarm}`);
  if (items.length === 0 && told.length === 0) {
    return [seen === 0 ? 'No storage is there.' : `All storage is accounted for: ${seen} seen.`];
  }
  return [
    ...items.map(({ storageId, finding, reason, ageMs, pricePerHour, action }) => {
      const what = action === 'none' ? finding : `${finding}, ${action}`;
      return `${storageId}  ${what}  ${duration(ageMs)} old, ${dollars(pricePerHour)}/h on AWS: ${reason}`;
    }),
    `Not accounted for: ${items.length} of ${seen}, ${dollars(dollarsPerHour)}/h on AWS.`,
    ...told,
  ];
}
