import { inverse, Matrix, QrDecomposition } from 'ml-matrix';

/** A noise floor, or the residual of a fit: standard deviation of one run in the metric's unit, and what it rests on. */
export interface Noise {
  readonly sd: number;
  readonly df: number;
}

export interface Column {
  readonly name: string;
  readonly values: readonly number[];
}

export interface Coefficient {
  readonly name: string;
  readonly estimate: number;
  /** Its variance is this times that of one run: the diagonal of (XᵀX)⁻¹. */
  readonly unitVariance: number;
}

export interface Fit {
  /** In order, without those that earlier columns already explain. */
  readonly coefficients: readonly Coefficient[];
  /** Names of the columns that are linear combinations of earlier ones. */
  readonly dependent: readonly string[];
  /** null where the fit uses up all runs. */
  readonly residual: Noise | null;
}

/** Share of a column's square that must be new for it to count as one more. */
const NEW = 1e-9;

/** Those that are no linear combination of the ones before them. */
export function independent(columns: readonly Column[]): Column[] {
  const basis: number[][] = [];
  return columns.filter(({ values }) => {
    let rest = [...values];
    // Twice is enough (Kahan): once leaves rounding errors that look like something new.
    for (let pass = 0; pass < 2; pass++) {
      for (const unit of basis) {
        const along = inner(rest, unit);
        rest = rest.map((value, row) => value - along * (unit[row] ?? 0));
      }
    }
    const length = Math.sqrt(inner(rest, rest));
    if (length * length <= NEW * inner(values, values)) return false;
    basis.push(rest.map((value) => value / length));
    return true;
  });
}

/** Ordinary least squares by QR. `columns` hold the constant too, if there is to be one. */
export function leastSquares(columns: readonly Column[], y: readonly number[]): Fit {
  const kept = independent(columns);
  const names = new Set(kept.map(({ name }) => name));
  const dependent = columns.flatMap(({ name }) => (names.has(name) ? [] : [name]));
  if (kept.length === 0) return { coefficients: [], dependent, residual: null };
  const x = new Matrix(y.map((_, row) => kept.map(({ values }) => values[row] ?? 0)));
  const target = Matrix.columnVector([...y]);
  const qr = new QrDecomposition(x);
  const solution = qr.solve(target);
  const root = inverse(qr.upperTriangularMatrix);
  const df = y.length - kept.length;
  const rest = Matrix.sub(target, x.mmul(solution)).to1DArray();
  return {
    coefficients: kept.map(({ name }, index) => ({
      name,
      estimate: solution.get(index, 0),
      unitVariance: root.getRow(index).reduce((sum, value) => sum + value * value, 0),
    })),
    dependent,
    residual: df > 0 ? { sd: Math.sqrt(inner(rest, rest) / df), df } : null,
  };
}

export const inner = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((sum, value, row) => sum + value * (b[row] ?? 0), 0);
