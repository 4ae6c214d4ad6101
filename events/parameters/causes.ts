import * as z from 'zod';
import { fingerprint } from '../fingerprint';
import type { Cause } from '../run-events';
import { fieldsOf } from './words';

const UNREADABLE_MAX = 500;

/** What a request may say of its cause: narrower than what a run keeps, for anybody can send one. */
export const RequestedCause = z
  .union([
    z.strictObject({
      upload: z.strictObject({
        // S3: names of buckets, keys of at most 1,024 bytes.
        bucket: z.string().regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/),
        key: z.string().min(1).max(1024),
        sequencer: z.string().regex(/^[0-9A-Fa-f]{1,64}$/),
        unreadable: z.string().min(1).max(UNREADABLE_MAX).optional(),
      }),
    }),
    z.strictObject({
      schedule: z.strictObject({
        name: z.string().regex(/^[a-z0-9-]{1,24}$/),
        time: z.iso.datetime(),
      }),
    }),
  ])
  .describe('Where the request came from, when not from a sender of its own. Ebbtide adds it.');

/** The cause that a request names, where it names a good one. */
export function causeOf(detail: unknown): Cause | undefined {
  return RequestedCause.safeParse(fieldsOf(detail)?.cause).data;
}

/**
 * The id of the run that a cause starts, the same however often its event comes. 106 bits tell one
 * upload from another; a schedule is due once a minute at most.
 */
export function runIdOf(cause: Cause): string {
  if ('schedule' in cause) {
    const { name, time } = cause.schedule;
    return `${name}-${time.slice(0, 16).replace(/\D/g, '')}`;
  }
  const { bucket, key, sequencer } = cause.upload;
  const place = [bucket, key, sequencer];
  return `up-${fingerprint(place)}${fingerprint(['again', ...place])}`;
}

/** Whether the cause of a request is one, and one that this stack can have. */
export function badCause(cause: unknown, intakeBucket: string | undefined): string[] {
  if (cause === undefined) return [];
  const read = RequestedCause.safeParse(cause).data;
  if (!read) {
    return [
      'cause must be the upload or the schedule that a request came from, and this is neither: leave it out, Ebbtide adds it',
    ];
  }
  if (!('upload' in read) || read.upload.bucket === intakeBucket) return [];
  const wanted = intakeBucket
    ? `not in the bucket ${intakeBucket}`
    : 'and this stack has no intake';
  return [`cause names an upload ${wanted}: leave it out, Ebbtide adds it`];
}
