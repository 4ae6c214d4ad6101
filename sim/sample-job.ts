import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync } from 'node:fs';

const MIB = 1024 * 1024;

/**
 * What a finished sample job leaves as its last checkpoint. For large files use `compareCheckpoint`.
 * With a `task`, here and below, it is that task of a Batch array; without, a job that is no array.
 */
export function expectedCheckpoint(index: number, sizeMib: number, task?: number): Buffer {
  return Buffer.alloc(sizeMib * MIB, checkpointLine(index, task));
}

/** One MiB of checkpoint `index`: every MiB of it is the same. */
export function checkpointSlice(index: number, task?: number): Buffer {
  return expectedCheckpoint(index, 1, task);
}

/** The SHA-256, in hex, of a whole checkpoint, for comparing without either file at hand. */
export function expectedSha256(index: number, sizeMib: number, task?: number): string {
  const slice = checkpointSlice(index, task);
  const hash = createHash('sha256');
  for (let mib = 0; mib < sizeMib; mib += 1) hash.update(slice);
  return hash.digest('hex');
}

export type Comparison =
  | { readonly ok: true; readonly bytes: number; readonly sha256: string }
  | { readonly ok: false; readonly reason: string };

/** Compares a file with the expected checkpoint byte for byte, without holding either in memory. */
export function compareCheckpoint(
  path: string,
  index: number,
  sizeMib: number,
  task?: number,
): Comparison {
  const expected = checkpointSlice(index, task);
  const found = Buffer.alloc(MIB);
  const hash = createHash('sha256');
  const file = openSync(path, 'r');
  try {
    for (let mib = 0; mib < sizeMib; mib += 1) {
      const length = readFully(file, found);
      const at = firstDifference(found.subarray(0, length), expected);
      if (at !== undefined) return { ok: false, reason: `byte ${mib * MIB + at} differs` };
      if (length < MIB) return { ok: false, reason: `it ends after ${mib * MIB + length} bytes` };
      hash.update(found);
    }
    if (readFully(file, found) > 0) {
      return { ok: false, reason: `it goes on after ${sizeMib * MIB} bytes` };
    }
    return { ok: true, bytes: sizeMib * MIB, sha256: hash.digest('hex') };
  } finally {
    closeSync(file);
  }
}

/** The 128 bytes that checkpoint `index` repeats; docker/ebs/README.md has the format. */
export function checkpointLine(index: number, task?: number): Buffer {
  const number = String(index).padStart(4, '0');
  return Buffer.from(`${`checkpoint ${number} ${chainHash(index, task)}`.padEnd(127)}\n`);
}

/** Each task starts its chain from a text of its own, so that no file of one passes for another's. */
function chainHash(index: number, task?: number): string {
  let hash = sha256(task === undefined ? 'ebbtide' : `ebbtide task ${task}`);
  for (let i = 1; i <= index; i += 1) hash = sha256(`${hash} ${i}`);
  return hash;
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** A read may stop early; this one stops only at the end of the file. */
function readFully(file: number, into: Buffer): number {
  let length = 0;
  while (length < into.length) {
    const read = readSync(file, into, length, into.length - length, null);
    if (read === 0) break;
    length += read;
  }
  return length;
}

function firstDifference(found: Buffer, expected: Buffer): number | undefined {
  if (found.equals(expected.subarray(0, found.length))) return undefined;
  return found.findIndex((byte, at) => byte !== expected[at]);
}
