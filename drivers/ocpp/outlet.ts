/** A connector with its promise: what is heard of it, what it is told, and what people must know. Pure; ms, monotonic. */
import type { DriverAlert } from '../alert.ts';
import type { ChargerReading } from '../charger.ts';
import { ChargeBegin } from './charge-begin.ts';
import type { Configuration } from './configuration.ts';
import { Connector, type ConnectorOptions, HOLDS, type Status } from './connector.ts';
import type { Situation } from './limits/limit-call.ts';
import { Limiter } from './limits/limiter.ts';
import type { Verdict } from './limits/obedience.ts';
import { baseRungs, overlayRungs, type Rung, slotOf } from './limits/rung.ts';
import type { MeterSample } from './meter-values.ts';
import type { Quirks } from './quirks.ts';
import { RareValues } from './rare-values.ts';
import type { StationRecord } from './record.ts';
import { ScheduleReader, SHOWS_S } from './schedule-reader.ts';
import type { CallAnswer, StationCall } from './station-io.ts';
import { LONGEST_DURATION_S, type StationSettings } from './station-options.ts';
import type { Transaction } from './transactions.ts';
import { Verdicts } from './verdicts.ts';

/** What an outlet has to know of its station. */
export interface StationView {
  settings: StationSettings;
  quirks: Quirks;
  configuration: Configuration;
  record: StationRecord;
  /** It can be told something. */
  ready: boolean;
  connected: boolean;
  /** ms. */
  connectedAt: number;
  /** Its clock, epoch ms; where that is not known, the earliest it may be, and by how much later it may be, ms. */
  stationTime: number;
  clockSpan: number;
  clockKnown: boolean;
  /** Our clock, epoch ms. */
  wallClock: number;
}

/** A connector that says it is free although its transaction was not stopped: the message may be on its way, ms. */
const FREE_MS = 5000;
/** An unchanged connector is reported this often, ms. */
const UNCHANGED_EVERY_MS = 5000;
const SETTLES_MS = 5000;
/** By then what another process told is known, or will never be. */
const KNOWN_MS = 20_000;
const DRAWS_A = 1;
/** What was asked for is so old at most, s. */
const TRIGGERED_S = 10;
/** So long after it has connected a station may leave its status untold, ms. */
const STATUS_MS = 20_000;
/** Who charges for so long without a measured current is told, s; or for so many intervals. */
const UNMETERED_S = 300;
const UNMETERED_INTERVALS = 3;
/** A draw of which the status knows nothing ends when nothing has come for so long, s; or for so many intervals. */
const STRAY_S = 30;
const STRAY_INTERVALS = 3;

export class Outlet {
  readonly connector: Connector;
  readonly limiter: Limiter;
  readonly begin = new ChargeBegin();
  /** It measures what it gives at its outlet. */
  isMetered = false;
  readonly #rareValues = new RareValues();
  readonly #verdicts: Verdicts;
  readonly #schedule: ScheduleReader;
  readonly #phases: number;
  #freeSince: number | undefined;
  #last: { offer: number; online: boolean; at: number } | undefined;
  #measured = false;
  /** Of when the last sample was, the station's clock, epoch ms. */
  #sampleOf: number | undefined;
  /** The default that the ways of laying a limit over it belong to. */
  #laidOver: Rung | undefined;
  /** Something but its offer may have changed since the last reading. */
  #changed = true;
  /** Since it connected, it has been told what holds without us. */
  #online = false;

  /** `proven`: keys of the ways by which the station obeyed. `worked`: the last way by which it took a limit. */
  constructor(
    options: ConnectorOptions,
    settings: StationSettings,
    proven: Set<string>,
    worked: Rung | undefined,
    now: number,
  ) {
    this.connector = new Connector(options);
    this.#phases = options.rotation.length;
    const safeOfAll = Math.min(...settings.connectors.map((c) => c.safe));
    const { connector, min, max, safe } = options;
    const { duration, renewal } = settings;
    // What was in the place of the default is replaced by ours; another one may have lasted longer than it does now.
    const unknownFor = worked && slotOf(worked) !== 'transaction' ? duration : LONGEST_DURATION_S;
    this.limiter = new Limiter(
      { connector, min, max, safe, safeOfAll, phases: this.#phases, duration, renewal, unknownFor },
      proven,
      now,
    );
    this.#verdicts = new Verdicts(this.limiter, safe);
    this.#schedule = new ScheduleReader(this.connector, this.limiter, this.#verdicts, this.begin);
  }

  /** s since its transaction began; Infinity where nobody told. */
  #runningFor(transaction: Transaction | undefined, { wallClock, stationTime, clockSpan }: StationView): number {
    const told = Date.parse(transaction?.timestamp ?? '');
    if (!transaction || Number.isNaN(told)) return Number.POSITIVE_INFINITY;
    return Math.max(0, wallClock - transaction.startedAt, stationTime + clockSpan - told) / 1000;
  }

  /** Current flows, as far as is known. */
  get #charges(): boolean {
    const drew = this.connector.drawSince(Number.NEGATIVE_INFINITY) ?? 0;
    return this.connector.status === 'Charging' || drew > DRAWS_A;
  }

  /** There is, or may be, a transaction. */
  isActive(transaction: Transaction | undefined, now: number): boolean {
    const { status, statusAt } = this.connector;
    if (HOLDS.includes(status) || (this.connector.drawSince(statusAt) ?? 0) > DRAWS_A) return true;
    return transaction !== undefined && (this.#freeSince === undefined || now - this.#freeSince < FREE_MS);
  }

  /** There is a transaction for sure. A station that is suspended may also wait for one. */
  isRunning(transaction: Transaction | undefined, now: number): boolean {
    if (!this.isActive(transaction, now)) return false;
    const { status, statusAt } = this.connector;
    const waits = status === 'SuspendedEVSE' || status === 'SuspendedEV';
    return transaction !== undefined || !waits || (this.connector.drawSince(statusAt) ?? 0) > DRAWS_A;
  }

  /**
   * `stamp`: when it began by the station's clock, epoch ms. Returns whether the vehicle goes on after a pause: what it was
   * told may be lost (go-eCharger-API-v2#155).
   */
  status(status: Status, fault: string | undefined, now: number, stamp?: number): boolean {
    const { connector } = this;
    const resumes = status === 'Charging' && connector.status !== undefined && connector.status !== 'Charging';
    this.#changed = true;
    connector.fault = fault;
    connector.setStatus(status, now, stamp);
    this.#freeSince = status === 'Available' ? (this.#freeSince ?? now) : undefined;
    if (status === 'Charging') this.begin.seen(now);
    if (resumes) this.limiter.again();
    return resumes;
  }

  started(now: number): void {
    this.begin.started(this.connector.status === 'Charging', now);
    this.limiter.transactionEnded();
    this.goesOn(now);
  }

  /** Its transaction is told of again, or at last: what it was told before may hold, or be lost. */
  goesOn(now: number): void {
    this.#changed = true;
    this.#freeSince = undefined;
    this.connector.occupied(now);
    this.limiter.again();
  }

  /** Its transaction is over; the status that says so may never come (evcc#29272). */
  stopped(unplugged: boolean, now: number): void {
    this.#changed = true;
    this.limiter.transactionEnded();
    const { status } = this.connector;
    // After a restart the end may be told before any status: who has left must not look like the next one.
    if (HOLDS.includes(status) || (status === undefined && unplugged))
      this.connector.setStatus(unplugged ? 'Available' : 'Finishing', now);
  }

  /** A suspended vehicle of a station that forgets what it was told meanwhile. */
  #mayHaveDropped({ quirks }: StationView): void {
    const held = this.connector.status === 'SuspendedEV' || this.connector.status === 'SuspendedEVSE';
    if (quirks.dropsWhileSuspended && held) this.limiter.bound.doubtOverlay();
  }

  /** Somebody was seen to draw whom no status knows, and nothing has come of him since. */
  #forgetStray({ configuration, connectedAt }: StationView, now: number): void {
    const seenAt = this.connector.strayDrawAt;
    const patience = 1000 * Math.max(STRAY_S, STRAY_INTERVALS * configuration.sampleInterval);
    if (seenAt === undefined || now - Math.max(seenAt, connectedAt) < patience) return;
    this.#changed = true;
    this.connector.forgetDraw();
  }

  /** What was measured; returns what of it was refused. */
  measured(
    sample: MeterSample,
    view: StationView,
    active: boolean,
    now: number,
  ): { refused: string[]; alerts: DriverAlert[] } {
    const { voltage } = view.settings;
    // Some answer with what they told last: that is no newer for it.
    const isOld = sample.at !== undefined && sample.at === this.#sampleOf && this.#rareValues.isAsked(now);
    if (isOld) return { refused: [], alerts: [] };
    this.#sampleOf = sample.at;
    const refused = this.connector.note(sample, this.limiter.bound.most(active, now), voltage, now);
    this.#measured = true;
    const draw = this.connector.drawSince(now);
    const rare = draw === undefined ? [] : this.#rareValues.heard(this.#charges, now);
    if (refused.length || !active || !sample.periodic) return { refused, alerts: rare };
    const { sampleInterval } = view.configuration;
    const interval = sample.triggered ? Math.min(TRIGGERED_S, sampleInterval) : sampleInterval;
    const { obedience } = this.limiter;
    const perUnit = voltage * (this.connector.phasesUsed(now) ?? this.#phases);
    const offered = sample.offered ?? (sample.offeredPower === undefined ? undefined : sample.offeredPower / perUnit);
    const shown = offered ?? draw;
    if (shown !== undefined)
      this.#verdicts.sees(shown, view.record, this.begin.ago(now), (interval + SHOWS_S) * 1000, now);
    const verdicts: Verdict[] = [
      offered === undefined ? undefined : obedience.offered(offered, interval, now),
      draw === undefined ? undefined : obedience.measured(draw, interval, now),
    ];
    return {
      refused,
      alerts: [...rare, ...verdicts.flatMap((verdict) => this.#verdicts.believe(verdict, view.record, now))],
    };
  }

  /** New ways of telling a limit, after what is known of the station has changed. */
  setLadders({ configuration, quirks, settings, record }: StationView): void {
    const { base, overlay } = this.limiter;
    const alone = settings.connectors.length === 1;
    const { capabilities } = configuration;
    base.set(baseRungs(capabilities, quirks, alone), record.learned.base);
    this.#laidOver = this.#underneath();
    overlay.set(overlayRungs(this.#laidOver, capabilities, quirks, alone), record.learned.overlay);
  }

  /** How the default works, or is tried. */
  #underneath(): Rung | undefined {
    const { base, acceptedBase } = this.limiter;
    return base.exhausted ? undefined : (acceptedBase ?? base.current);
  }

  /** The station has connected or restarted. */
  restarted(): void {
    this.limiter.base.restart();
    this.limiter.overlay.restart();
    this.limiter.obedience.composite = true;
    this.#rareValues.begin();
  }

  /** Calls that are due, and what people must know of them. */
  step(
    view: StationView,
    transaction: Transaction | undefined,
    call: () => number,
    now: number,
  ): { calls: StationCall[]; alerts: DriverAlert[] } {
    this.#forgetStray(view, now);
    const active = this.isActive(transaction, now);
    this.#mayHaveDropped(view);
    const isToBeRead = this.#schedule.isToBeRead(view, active, now);
    const readsBack = isToBeRead || this.#schedule.isBeingRead;
    const situation = { ...this.#situation(view, active, transaction, now), readsBack };
    const calls = this.limiter.step(situation, call, now);
    if (active && this.connector.status === 'SuspendedEVSE') this.limiter.offers(0, this.connector.statusAt);
    this.limiter.offer(active, now);
    const { obedience } = this.limiter;
    calls.push(...this.#schedule.step(view, isToBeRead, call, now));
    calls.push(...this.#asks(view, active, call, now));
    const held = active && this.connector.status === 'SuspendedEVSE' && obedience.state !== 'proven';
    const alerts = held ? this.#verdicts.believe(obedience.suspended(now), view.record, now) : [];
    return { calls, alerts: [...alerts, ...this.#metered(view, active, now)] };
  }

  /** Whether somebody measures what the vehicle takes. */
  #metered({ connected, connectedAt, configuration }: StationView, active: boolean, now: number): DriverAlert[] {
    const patience = 1000 * Math.max(UNMETERED_S, UNMETERED_INTERVALS * configuration.sampleInterval);
    if (this.connector.drawSince(now - patience) !== undefined) return this.#verdicts.metered(true, now);
    const since = Math.max(connectedAt, this.connector.statusAt, this.begin.since ?? now);
    const charges = connected && active && this.connector.status === 'Charging';
    return charges && now - since >= patience ? this.#verdicts.metered(false, now) : [];
  }

  /** What is measured, from a station that tells it rarely. */
  #asks({ ready, configuration }: StationView, active: boolean, call: () => number, now: number): StationCall[] {
    const mayAsk = ready && configuration.remoteTrigger !== false;
    const { connector } = this.connector.options;
    const asker = {
      connector,
      active,
      charging: this.#charges,
      mayAsk,
      interval: configuration.sampleInterval,
    };
    return this.#rareValues.step(asker, call, now);
  }

  #situation(
    view: StationView,
    active: boolean,
    transaction: Transaction | undefined,
    now: number,
  ): Omit<Situation, 'readsBack'> {
    const { quirks, settings, record, configuration } = view;
    const { phaseSwitching } = this.connector.options;
    const mayBeShort = quirks.sparesMemory === true && record.learned.expires;
    return {
      ready: view.ready,
      active,
      transactionId: transaction?.id,
      voltage: this.connector.lowestVoltage(settings.voltage),
      nominal: settings.voltage,
      phasesUsed: this.connector.phasesUsed(now),
      runningFor: this.#runningFor(transaction, view),
      chargedFor: record.learned.fromStart ? this.begin.ago(now) : undefined,
      switches: phaseSwitching === true && configuration.switchesPhases(quirks),
      stationTime: view.stationTime,
      clockSpan: view.clockSpan / 1000,
      clockKnown: view.clockKnown,
      duration: mayBeShort ? quirks.duration : undefined,
      stopsForPause: quirks.pause === 'remote-stop' && !quirks.keepTransaction && transaction !== undefined,
    };
  }

  /** The answer to one of its calls; undefined when it is not its own. `expires`: the schedule shows that a profile ends. */
  answered(
    id: number,
    answer: CallAnswer,
    view: StationView,
    active: boolean,
    now: number,
  ): { alerts: DriverAlert[]; expires?: boolean; learned?: boolean } | undefined {
    if (this.#rareValues.answered(id, answer, now)) return { alerts: [] };
    const schedule = this.#schedule.answered(id, answer, view, active, now);
    if (schedule) return schedule;
    const outcome = this.limiter.answered(id, answer, now);
    if (outcome === 'other') return undefined;
    if (this.#underneath() !== this.#laidOver) this.setLadders(view);
    const isAccepted = outcome === 'accepted';
    const learned = isAccepted && this.#verdicts.learn(view.record);
    return { alerts: this.#verdicts.answered(isAccepted, active, answer, now), learned };
  }

  /** The reading, when it changed or is due. */
  reading(view: StationView, transaction: Transaction | undefined, now: number): ChargerReading | undefined {
    const active = this.isActive(transaction, now);
    const most = this.limiter.offer(active, now);
    // Nobody is offered what the next vehicle would be: its limit goes out with the answer to its StartTransaction, before it draws.
    const offer = active || most > this.connector.options.safe ? most : 0;
    const online = this.#isOnline(view, active, now);
    // Of whom nothing is known yet nothing is said: everything is reserved then.
    if (!online && this.#last === undefined) return undefined;
    // A guess whether somebody is there would be a session that never was: the status is told, or asked for, soon.
    const isGuess = this.connector.status === undefined && !active && now - view.connectedAt < STATUS_MS;
    if (isGuess && this.#last === undefined) return undefined;
    const due = this.#last === undefined || now - this.#last.at >= UNCHANGED_EVERY_MS;
    const quiet = offer === this.#last?.offer && online === this.#last.online && !this.#changed && !this.#measured;
    if (quiet && !due) return undefined;
    const stops = view.record.stops[this.connector.options.connector];
    const phasesTold = this.limiter.phasesTold(now);
    const reading = this.connector.reading({ online, offer, transaction, active, phasesTold, stops }, now);
    this.#measured = false;
    this.#changed = false;
    this.#last = { offer, online, at: now };
    return reading;
  }

  /**
   * Online is who can be told a limit: who has just come is told his safe default first, or asked what holds, and what he offers is
   * known then. It is the set-point in force to the allocator, which must not take the worst case for one.
   */
  #isOnline({ connected, connectedAt }: StationView, active: boolean, now: number): boolean {
    const { settled, bound } = this.limiter;
    const since = now - connectedAt;
    const known = (settled || since >= SETTLES_MS) && (!active || !bound.isUnknown || since >= KNOWN_MS);
    this.#online = connected && (this.#online || known);
    return this.#online;
  }
}
