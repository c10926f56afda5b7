/**
 * Small dense linear programs: maximise objective · x with rows · x ≤ limit and x ≥ 0 (the simplex method in
 * dictionary form, two phases; Chvátal, Linear Programming, 1983, chapters 2 and 3).
 */

export interface LinearProgram {
  objective: readonly number[];
  rows: readonly { coefficients: readonly number[]; limit: number }[];
}

export interface Optimum {
  value: number;
  x: Float64Array;
  /** Per row: by how much the value would grow per unit of its limit; above 0 only where the row is tight in every optimum. */
  dual: Float64Array;
}

const ZERO = 1e-9;
/** After this many pivots the rule that cannot cycle (Bland's) takes over. */
const PATIENCE = 500;

/** The optimum; undefined where nothing satisfies all rows. Throws an Error where the value has no bound. */
export function maximise({ objective, rows }: LinearProgram): Optimum | undefined {
  const n = objective.length;
  const m = rows.length;
  // Column n is the artificial variable of phase one; columns n + 1 … are not stored: a dictionary has one per free variable.
  const dictionary = new Dictionary(n + 1, m);
  rows.forEach(({ coefficients, limit }, i) => {
    dictionary.a[i].set(coefficients);
    dictionary.a[i][n] = -1;
    dictionary.b[i] = limit < 0 && limit > -ZERO ? 0 : limit;
  });
  if (!dictionary.makeFeasible(n)) return undefined;
  dictionary.setObjective(objective);
  if (!dictionary.optimise()) throw new Error('linear program: the objective has no bound');
  return dictionary.optimum(n);
}

/** Basic variables as functions of the free ones: basic[i] = b[i] - Σ a[i][j] · free[j]; value = v + Σ c[j] · free[j]. */
class Dictionary {
  readonly a: Float64Array[];
  readonly b: Float64Array;
  readonly #c: Float64Array;
  #v = 0;
  /** Which variable each column and row stands for: 0 … n - 1 are the program's, n the artificial one, then the slacks. */
  readonly #free: Int32Array;
  readonly #basic: Int32Array;
  /** A column that must stay at 0: the artificial variable after phase one. */
  #barred = -1;

  constructor(columns: number, rows: number) {
    this.a = Array.from({ length: rows }, () => new Float64Array(columns));
    this.b = new Float64Array(rows);
    this.#c = new Float64Array(columns);
    this.#free = Int32Array.from({ length: columns }, (_, j) => j);
    this.#basic = Int32Array.from({ length: rows }, (_, i) => columns + i);
  }

  /** Phase one: an artificial variable makes every row hold, and is then driven to 0. */
  makeFeasible(artificial: number): boolean {
    let worst = -1;
    for (let i = 0; i < this.b.length; i++) if (this.b[i] < 0 && (worst < 0 || this.b[i] < this.b[worst])) worst = i;
    if (worst >= 0) {
      this.#c[artificial] = -1;
      this.#pivot(worst, artificial);
      this.optimise();
      if (this.#v < -1e-7) return false;
      const row = this.#basic.indexOf(artificial);
      if (row >= 0) {
        let column = 0;
        for (let j = 1; j < this.#c.length; j++)
          if (Math.abs(this.a[row][j]) > Math.abs(this.a[row][column])) column = j;
        this.#pivot(row, column);
      }
    }
    this.#barred = this.#free.indexOf(artificial);
    return true;
  }

  setObjective(objective: readonly number[]): void {
    this.#c.fill(0);
    this.#v = 0;
    for (let j = 0; j < this.#free.length; j++)
      if (this.#free[j] < objective.length) this.#c[j] = objective[this.#free[j]];
    for (let i = 0; i < this.#basic.length; i++) {
      const weight = objective[this.#basic[i]] ?? 0;
      if (weight === 0) continue;
      this.#v += weight * this.b[i];
      for (let j = 0; j < this.#c.length; j++) this.#c[j] -= weight * this.a[i][j];
    }
  }

  /** Pivots until no free variable can better the value; false where one can without bound. */
  optimise(): boolean {
    for (let round = 0; ; round++) {
      const column = this.#entering(round > PATIENCE);
      if (column < 0) return true;
      const row = this.#leaving(column);
      if (row < 0) return false;
      this.#pivot(row, column);
    }
  }

  optimum(n: number): Optimum {
    const x = new Float64Array(n);
    const dual = new Float64Array(this.b.length);
    for (let i = 0; i < this.#basic.length; i++) if (this.#basic[i] < n) x[this.#basic[i]] = this.b[i];
    for (let j = 0; j < this.#free.length; j++) if (this.#free[j] > n) dual[this.#free[j] - n - 1] = -this.#c[j];
    return { value: this.#v, x, dual };
  }

  #entering(carefully: boolean): number {
    let best = -1;
    for (let j = 0; j < this.#c.length; j++) {
      if (this.#c[j] <= ZERO || j === this.#barred) continue;
      if (best < 0) best = j;
      else if (carefully ? this.#free[j] < this.#free[best] : this.#c[j] > this.#c[best]) best = j;
    }
    return best;
  }

  #leaving(column: number): number {
    let best = -1;
    let least = Number.POSITIVE_INFINITY;
    for (let i = 0; i < this.b.length; i++) {
      const coefficient = this.a[i][column];
      if (coefficient <= ZERO) continue;
      const ratio = Math.max(0, this.b[i]) / coefficient;
      if (ratio < least - 1e-12 || (ratio <= least && this.#basic[i] < this.#basic[best])) {
        best = i;
        least = Math.min(ratio, least);
      }
    }
    return best;
  }

  #pivot(row: number, column: number): void {
    const pivotRow = this.a[row];
    const scale = 1 / pivotRow[column];
    for (let j = 0; j < pivotRow.length; j++) pivotRow[j] *= scale;
    pivotRow[column] = scale;
    this.b[row] *= scale;
    for (let i = 0; i < this.a.length; i++) {
      if (i !== row) this.b[i] -= this.#eliminate(this.a[i], pivotRow, column) * this.b[row];
    }
    this.#v -= this.#eliminateObjective(pivotRow, column) * this.b[row];
    const entered = this.#free[column];
    this.#free[column] = this.#basic[row];
    this.#basic[row] = entered;
  }

  /** Substitutes the entering variable in a row; returns its coefficient there. */
  #eliminate(target: Float64Array, pivotRow: Float64Array, column: number): number {
    const factor = target[column];
    if (factor === 0) return 0;
    target[column] = 0;
    for (let j = 0; j < target.length; j++) target[j] -= factor * pivotRow[j];
    return factor;
  }

  /** The same for the objective, whose signs are the other way round. */
  #eliminateObjective(pivotRow: Float64Array, column: number): number {
    const factor = this.#c[column];
    if (factor === 0) return 0;
    this.#c[column] = 0;
    for (let j = 0; j < pivotRow.length; j++) this.#c[j] -= factor * pivotRow[j];
    return -factor;
  }
}
