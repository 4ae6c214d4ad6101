import type { Args, Command } from '../command';
import { UsageError } from '../command';
import { run } from './run';

/** What each mode shows best, in a minute or less. */
const SHOWS: { readonly [mode: string]: { readonly interrupt: number; readonly array?: number } } =
  {
    onlyEBS: { interrupt: 2 },
    taskExport: { interrupt: 3, array: 20 },
    autoExport: { interrupt: 3, array: 20 },
  };

/** Shows a mode: the sample job through Spot interruptions; in a Lustre mode 20 tasks on one file system. */
export const demo: Command = {
  name: 'demo',
  summary: 'show a mode: the sample job, interrupted by Spot, to its end',
  options: run.options.filter(({ flags }) => /^--(mode|speed|drop-events)/.test(flags)),
  async run(args, io) {
    const mode = String(args.mode ?? 'onlyEBS');
    const show = Object.hasOwn(SHOWS, mode) ? SHOWS[mode] : undefined;
    if (!show) {
      throw new UsageError(`--mode must be one of ${Object.keys(SHOWS).join(', ')}, got ${mode}`);
    }
    const all: Args = { ...args, ...show, mode };
    return run.run(all, io);
  },
};
