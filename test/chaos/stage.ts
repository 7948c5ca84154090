/** The pods behind their fault doors, and what each kind of fault does to one of them. */
import { nowMs, sleep } from '../experiment/clock.ts';
import type { Fleet, FleetPod } from '../experiment/fleet.ts';
import type { Random } from '../experiment/random.ts';
import type { Door, Doors } from './doors.ts';
import type { NetworkFault } from './fault-door.ts';
import type { Kind, Step } from './schedule.ts';

/** A kubelet reports a container that has died within about this time. */
const DEATH_REPORTED_MS = 1000;

/** What was done to which pod, for the figures. */
export interface Strike {
  readonly kind: Kind;
  readonly pod: string;
  readonly atMs: number;
  readonly lastsMs: number;
}

interface Entry {
  /** As the proxy knows it: its address is that of the door. */
  readonly listed: FleetPod;
  /** The process at the moment. */
  real: FleetPod;
  readonly door: Door;
}

export class Stage {
  readonly strikes: Strike[] = [];
  readonly #fleet: Fleet;
  readonly #doors: Doors;
  readonly #random: Random;
  readonly #entries: Entry[] = [];
  readonly #struck = new Set<Entry>();
  /** Steps for which no pod could be spared. */
  skipped = 0;

  constructor(fleet: Fleet, doors: Doors, random: Random) {
    this.#fleet = fleet;
    this.#doors = doors;
    this.#random = random;
  }

  async add(): Promise<void> {
    const real = await this.#fleet.start();
    const door = await this.#doors.open(real.address);
    const entry: Entry = { listed: behind(door, real.name, () => entry.real), real, door };
    this.#entries.push(entry);
    this.#fleet.mark('serving', entry.listed);
  }

  /** Resolves when the fault is over and mended. */
  async take({ kind, lastsMs }: Step): Promise<void> {
    if (kind === 'rolling') return this.#roll();
    const entry = this.#victim();
    if (entry === undefined) {
      this.skipped++;
      return;
    }
    this.#struck.add(entry);
    this.strikes.push({ kind, pod: entry.listed.name, atMs: nowMs(), lastsMs });
    await this.#strike(entry, kind, lastsMs);
    this.#struck.delete(entry);
  }

  /** More than half of the pods are always well: what is left when all are ill is another promise. */
  #victim(): Entry | undefined {
    const well = this.#entries.filter((entry) => !this.#struck.has(entry));
    return well.length * 2 > this.#entries.length + 1 ? this.#random.pick(well) : undefined;
  }

  async #strike(entry: Entry, kind: Exclude<Kind, 'rolling'>, lastsMs: number): Promise<void> {
    switch (kind) {
      case 'kill':
        await entry.real.process.kill();
        await sleep(DEATH_REPORTED_MS);
        await this.#forget(entry);
        return this.add();
      case 'restart':
        await entry.real.process.kill();
        entry.real = await this.#fleet.start(entry.listed.name);
        return entry.door.target(entry.real.address);
      case 'freeze':
        entry.real.process.signal('SIGSTOP');
        await sleep(lastsMs);
        return entry.real.process.signal('SIGCONT');
      case 'reset':
        return entry.door.reset();
      case 'latency':
        return this.#network(entry, { kind, ms: this.#random.between(20, 300) }, lastsMs);
      default:
        return this.#network(entry, { kind }, lastsMs);
    }
  }

  async #network({ door }: Entry, fault: NetworkFault, lastsMs: number): Promise<void> {
    await door.fault(fault);
    await sleep(lastsMs);
    await door.fault({ kind: 'none' });
  }

  /** Pods with a fault of their own are left out; whoever is struck meanwhile is replaced all the same. */
  async #roll(): Promise<void> {
    const retiring: Promise<void>[] = [];
    for (const entry of this.#random.shuffled(this.#entries.filter((each) => !this.#struck.has(each)))) {
      if (this.#struck.has(entry)) continue;
      this.#struck.add(entry);
      this.strikes.push({ kind: 'rolling', pod: entry.listed.name, atMs: nowMs(), lastsMs: 0 });
      await this.add();
      retiring.push(this.#retire(entry));
      await sleep(this.#random.between(0, 300));
    }
    await Promise.all(retiring);
  }

  async #retire(entry: Entry): Promise<void> {
    this.#entries.splice(this.#entries.indexOf(entry), 1);
    this.#struck.delete(entry);
    await this.#fleet.retire(entry.listed, this.#random.between(0, 100));
    await entry.door.close();
  }

  async #forget(entry: Entry): Promise<void> {
    this.#entries.splice(this.#entries.indexOf(entry), 1);
    this.#fleet.remove(entry.listed);
    await entry.door.close();
  }
}

/** A pod as it is listed: at its door, with the process that runs at the moment. */
function behind(door: Door, name: string, real: () => FleetPod): FleetPod {
  return {
    name,
    address: door.address,
    get process() {
      return real().process;
    },
  };
}
