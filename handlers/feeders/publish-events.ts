import { type RunEvent, SOURCE } from '../../events';
import { BUS_ENTRIES_MAX, type Bus } from '../lib';

/**
 * Puts the events of the table's stream on our bus: the only writer of run events there. Gives the
 * events that were not taken: the stream shows them again.
 */
export async function publishEvents(
  events: readonly RunEvent[],
  { bus }: { readonly bus: Bus },
): Promise<readonly RunEvent[]> {
  const left: RunEvent[] = [];
  for (let start = 0; start < events.length; start += BUS_ENTRIES_MAX) {
    const chunk = events.slice(start, start + BUS_ENTRIES_MAX);
    const taken = await bus.put(
      chunk.map(({ type, ...detail }) => ({ source: SOURCE, detailType: type, detail })),
    );
    left.push(...chunk.filter((_, index) => !taken[index]));
  }
  return left;
}
