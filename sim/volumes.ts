import { type Envelope, pricePerHour } from '../events';
import type { CreatedVolume, OwnedStorage, Volume, Volumes, WantedVolume } from '../handlers';
import type { Timeline } from './clock';
import type { Random } from './random';

/** A volume as the local EC2 has it. */
export interface LocalVolume extends WantedVolume {
  readonly volumeId: string;
  readonly state: Volume['state'];
  /** The host it is attached to. */
  readonly host?: string;
  /** On its way from that host: nobody can attach it meanwhile. */
  readonly isDetaching?: boolean;
  readonly isKept?: boolean;
  /** ISO 8601. Absent in a note that is older than this field: it is very old then. */
  readonly createdAt?: string;
}

/** The volumes port, with what hosts and tests do to volumes besides. */
export interface LocalVolumes extends Volumes {
  all(): readonly LocalVolume[];
  get(volumeId: string): LocalVolume | undefined;
  /** Attaches to a host as AttachVolume does: refuses in words what EC2 would refuse. */
  attach(volumeId: string, host: string): { readonly ok: true } | { ok: false; reason: string };
  detach(volumeId: string, host: string): void;
  /** The host died: EC2 gives its volumes free after a while. */
  hostGone(host: string): void;
  /** Deletes a volume as a stranger would, without a word. */
  vanish(volumeId: string): void;
}

interface Parts {
  readonly clock: Timeline;
  readonly random: Random;
  readonly account: string;
  readonly region: string;
  /** What EC2 sends to the account's default bus. */
  readonly notify: (envelope: Envelope) => void;
  /** Where bytes lie, where they really lie somewhere. */
  readonly disks?: Disks;
  /** What is there already. */
  readonly existing?: readonly LocalVolume[];
  /** Answers a creation in AWS's place: for quotas and zones without room. */
  readonly refuse?: (wanted: WantedVolume) => CreatedVolume | undefined;
}

/** The bytes behind the volumes, and the note of what they are. */
export interface Disks {
  save(volume: LocalVolume): void;
  remove(volumeId: string): void;
}

/** EBS CSI driver: creation 1.5 s at the median, attach and detach 1 to 4 s. */
const CREATION_MS = { min: 1000, max: 2500 };
const DETACH_MS = { min: 1000, max: 4000 };
/** Assumed: how long EC2 holds on to the volumes of a host that died. */
const RELEASE_MS = { min: 5000, max: 20_000 };
const DELETION_MS = { min: 500, max: 2000 };

/**
 * The twin of EC2's volumes. From the documents: the states, client tokens, one host at a time,
 * notifications for creation and deletion only. Assumed: the times, and that a volume is shown at once.
 */
export function localVolumes(parts: Parts): LocalVolumes {
  const { clock, random, disks, existing = [] } = parts;
  const volumes = new Map(existing.map((volume) => [volume.volumeId, volume]));

  const set = (volumeId: string, changes: Partial<LocalVolume>) => {
    const volume = volumes.get(volumeId);
    if (!volume) return;
    const changed = { ...volume, ...changes };
    volumes.set(volumeId, changed);
    disks?.save(changed);
  };
  const later = ({ min, max }: { min: number; max: number }, run: () => void) =>
    clock.at(clock.now() + random.between(min, max), run);
  const notify = (volumeId: string, event: string, result: string) =>
    parts.notify({
      id: random.uuid(),
      source: 'aws.ec2',
      'detail-type': 'EBS Volume Notification',
      account: parts.account,
      region: parts.region,
      time: `${new Date(clock.now()).toISOString().slice(0, 19)}Z`,
      resources: [`arn:aws:ec2:${parts.region}:${parts.account}:volume/${volumeId}`],
      detail: { result, cause: '', event, 'request-id': random.uuid() },
    });

  async function create(wanted: WantedVolume): Promise<CreatedVolume> {
    const known = [...volumes.values()].find((each) => each.clientToken === wanted.clientToken);
    if (known) return { ok: true, volumeId: known.volumeId, zone: known.zone };
    const refusal = parts.refuse?.(wanted);
    if (refusal) return refusal;
    const volumeId = `vol-0${random.hex(16)}`;
    const createdAt = new Date(clock.now()).toISOString();
    volumes.set(volumeId, { ...wanted, volumeId, state: 'creating', createdAt });
    set(volumeId, {});
    later(CREATION_MS, () => {
      if (volumes.get(volumeId)?.state !== 'creating') return;
      set(volumeId, { state: 'available' });
      notify(volumeId, 'createVolume', 'available');
    });
    return { ok: true, volumeId, zone: wanted.zone };
  }

  function free(volumeId: string, host: string): void {
    if (volumes.get(volumeId)?.host !== host) return;
    set(volumeId, { state: 'available', host: undefined, isDetaching: false });
  }

  function detach(volumeId: string, host: string, span: typeof DETACH_MS): void {
    const volume = volumes.get(volumeId);
    if (volume?.host !== host || volume.isDetaching) return;
    set(volumeId, { isDetaching: true });
    later(span, () => free(volumeId, host));
  }

  function remove(volumeId: string): void {
    set(volumeId, { state: 'deleting' });
    later(DELETION_MS, () => {
      if (!volumes.delete(volumeId)) return;
      disks?.remove(volumeId);
      notify(volumeId, 'deleteVolume', 'deleted');
    });
  }

  return {
    create,
    describe: async (ids) =>
      ids.flatMap((id) => {
        const volume = volumes.get(id);
        return volume ? [{ volumeId: id, zone: volume.zone, state: volume.state }] : [];
      }),
    async release({ runId, since, mayDetach, volumeId: known }) {
      const own = [...volumes.values()].filter(
        (each) =>
          each.runId === runId &&
          !each.isKept &&
          (each.volumeId === known || madeSince(each, since)),
      );
      if (own.length === 0) return { kind: 'gone' };
      for (const { volumeId, state, host } of own) {
        if (state === 'in-use' && host && mayDetach) detach(volumeId, host, DETACH_MS);
        if (isFree({ state })) remove(volumeId);
      }
      const states = own.map(({ state }) => state);
      if (states.includes('in-use'))
        return { kind: 'going', step: mayDetach ? 'detaching' : 'waiting' };
      return { kind: 'going', step: states.includes('creating') ? 'waiting' : 'deleting' };
    },
    async keep(volumeId) {
      set(volumeId, { isKept: true });
      return volumes.has(volumeId);
    },
    async discard(volumeId) {
      const volume = volumes.get(volumeId);
      if (!volume || volume.isKept || !isFree(volume)) return false;
      remove(volumeId);
      return true;
    },
    list: async () => [...volumes.values()].filter(({ state }) => state !== 'deleting').map(owned),

    all: () => [...volumes.values()],
    get: (volumeId) => volumes.get(volumeId),
    attach(volumeId, host) {
      const volume = volumes.get(volumeId);
      if (!volume) return { ok: false, reason: `volume ${volumeId} does not exist` };
      if (volume.isDetaching || (volume.state === 'in-use' && volume.host !== host)) {
        return { ok: false, reason: `volume ${volumeId} is attached to ${volume.host}` };
      }
      if (volume.state !== 'available' && volume.state !== 'in-use') {
        return { ok: false, reason: `volume ${volumeId} is ${volume.state}` };
      }
      set(volumeId, { state: 'in-use', host });
      return { ok: true };
    },
    detach: (volumeId, host) => detach(volumeId, host, DETACH_MS),
    hostGone(host) {
      for (const { volumeId } of [...volumes.values()].filter((each) => each.host === host)) {
        detach(volumeId, host, RELEASE_MS);
      }
    },
    vanish(volumeId) {
      volumes.delete(volumeId);
      disks?.remove(volumeId);
    },
  };
}

/** Nobody uses it, and it is not on its way. */
function isFree({ state }: Pick<LocalVolume, 'state'>): boolean {
  return state === 'available' || state === 'error';
}

const VERY_OLD = new Date(0).toISOString();

function owned(volume: LocalVolume): OwnedStorage {
  const { volumeId, runId, createdAt = VERY_OLD, sizeGib, iops, throughputMibps } = volume;
  const parameters = { ebsSizeGb: sizeGib, ebsIOPS: iops, ebsThroughput: throughputMibps };
  return {
    storageId: volumeId,
    kind: 'volume',
    runId,
    createdAt,
    sizeGib,
    pricePerHour: pricePerHour({ mode: 'onlyEBS', parameters }),
    isInUse: volume.state === 'in-use',
    isKept: volume.isKept === true,
  };
}

/** Clocks of AWS and of ours may differ by so much. */
const SKEW_MS = 5 * 60_000;

function madeSince({ createdAt = VERY_OLD }: LocalVolume, since: string): boolean {
  return Date.parse(createdAt) >= Date.parse(since) - SKEW_MS;
}
