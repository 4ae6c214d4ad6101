import { type Envelope, fieldsOf } from '../events';
import { BUS_ENTRIES_MAX, type Bus, type BusEntry } from '../handlers';
import { compilePattern } from './patterns';
import type { Random } from './random';

/** Who gets what a pattern matches. */
export interface Rule {
  readonly name: string;
  readonly pattern: unknown;
  deliver(envelope: Envelope): void;
}

/** An event bus of the local cloud: rules in EventBridge's own patterns, and nothing around them. */
export interface LocalBus extends Bus {
  /** Throws where EventBridge would refuse the pattern. */
  addRule(rule: Rule): void;
  /** An event as AWS's own services send it, envelope and all. */
  send(envelope: Envelope): void;
}

interface Place {
  readonly account: string;
  readonly region: string;
  now(): number;
  readonly random: Random;
}

/** One bus. An event without a matching rule is gone, as on AWS. */
export function localBus(place: Place): LocalBus {
  const rules: Compiled[] = [];

  function send(envelope: Envelope): void {
    for (const { rule, types, matches } of rules) {
      // Most rules are about other types: that is told without a look at the rest.
      if (types && !types.includes(envelope['detail-type'])) continue;
      if (matches(envelope)) rule.deliver(structuredClone(envelope));
    }
  }

  return {
    addRule: (rule) =>
      void rules.push({
        rule,
        types: typesOf(rule.pattern),
        matches: compilePattern(rule.pattern),
      }),
    send,
    async put(entries) {
      if (entries.length > BUS_ENTRIES_MAX) {
        throw new Error(
          `PutEvents takes at most ${BUS_ENTRIES_MAX} entries, got ${entries.length}`,
        );
      }
      for (const entry of entries) send(envelopeOf(entry, place));
      return entries.map(() => true);
    },
  };
}

interface Compiled {
  readonly rule: Rule;
  readonly types?: readonly string[];
  matches(event: unknown): boolean;
}

/** The detail-types that a pattern names one by one; undefined where it says it in another way. */
function typesOf(pattern: unknown): readonly string[] | undefined {
  const types = fieldsOf(pattern)?.['detail-type'];
  const isPlain = Array.isArray(types) && types.every((type) => typeof type === 'string');
  return isPlain ? types : undefined;
}

/** What EventBridge makes of an entry: a new id every time, even for the same entry. */
function envelopeOf({ source, detailType, detail }: BusEntry, place: Place): Envelope {
  return {
    id: place.random.uuid(),
    source,
    'detail-type': detailType,
    account: place.account,
    region: place.region,
    time: `${new Date(place.now()).toISOString().slice(0, 19)}Z`,
    resources: [],
    detail: JSON.parse(JSON.stringify(detail ?? {})),
  };
}
