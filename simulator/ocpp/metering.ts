/** When a connector of a simulated station meters, and what it tells of it (OCPP 1.6, 4.7, 9.1). */
import type { Inside, Transaction } from './connector.ts';
import type { JsonObject } from './frames.ts';
import { type Context, defined, type Measured, sampledValues } from './measurands.ts';

/** More messages of transactions than this are not kept. */
const KEPT = 500;

export interface Metered {
  readonly number: number;
  readonly transaction: Transaction | undefined;
  /** `since`: Wh of the register at the last sample. */
  measured(now: number, since: number): Measured;
}

export class Metering {
  readonly #inside: Inside;
  readonly #of: Metered;
  #nextSample = Number.POSITIVE_INFINITY;
  #samples = 0;
  #alignedSlot: number | undefined;
  #sampled = 0;

  constructor(inside: Inside, of: Metered) {
    this.#inside = inside;
    this.#of = of;
  }

  /** A transaction begins, or the interval was configured anew. */
  begin(now: number): void {
    this.#nextSample = now + this.#interval();
  }

  end(): void {
    this.#nextSample = Number.POSITIVE_INFINITY;
  }

  step(now: number): void {
    const { configuration } = this.#inside;
    if (now >= this.#nextSample) {
      this.#samples += 1;
      const every = this.#interval();
      this.#nextSample = now - this.#nextSample >= every ? now + every : this.#nextSample + every;
      this.tell(configuration.list('MeterValuesSampledData'), 'Sample.Periodic', now);
    }
    const aligned = configuration.number('ClockAlignedDataInterval') * 1000;
    if (aligned === 0) return;
    // Evenly spaced from midnight (9.1.8).
    const slot = Math.floor(this.#inside.clock(now) / aligned);
    const first = this.#alignedSlot === undefined;
    if (slot !== this.#alignedSlot && !first)
      this.tell(configuration.list('MeterValuesAlignedData'), 'Sample.Clock', now);
    this.#alignedSlot = slot;
  }

  tell(measurands: readonly string[], context: Context, now: number): void {
    const { link, accepted } = this.#inside;
    const { transaction, number: connectorId } = this.#of;
    if (measurands.length === 0 || (!transaction && !accepted()) || link.waiting >= KEPT) return;
    const value = this.value(measurands, context, now);
    if (value.sampledValue.length === 0) return;
    this.#sampled = this.#of.measured(now, 0).register;
    link.queue({
      action: 'MeterValues',
      kept: transaction !== undefined,
      payload: () => defined({ connectorId, transactionId: transaction?.id, meterValue: [value] }),
    });
  }

  value(
    measurands: readonly string[],
    context: Context,
    now: number,
  ): { timestamp: string; sampledValue: JsonObject[] } {
    const shape = this.#inside.behaviour.meter ?? {};
    const sampledValue = sampledValues(measurands, this.#of.measured(now, this.#sampled), shape, context);
    return { timestamp: new Date(this.#inside.clock(now)).toISOString(), sampledValue };
  }

  /** ms to the next periodic sample. */
  #interval(): number {
    const { oddIntervals } = this.#inside.behaviour;
    if (oddIntervals) return oddIntervals[this.#samples % oddIntervals.length] * 1000;
    return this.#inside.configuration.number('MeterValueSampleInterval') * 1000 || Number.POSITIVE_INFINITY;
  }
}
