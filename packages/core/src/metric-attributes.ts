import type { Attributes } from '@opentelemetry/api';

/** How many values one label may take. */
const MAX_VALUES = 32;

/**
 * Attributes that differ in one label. Made once per value, so that recording allocates nothing; above a bound every
 * further value counts as `_OTHER`, so that what applications throw cannot multiply the time series.
 */
export class LabelledAttributes {
  readonly #plain: Attributes;
  readonly #label: string;
  readonly #max: number;
  readonly #byValue = new Map<string, Attributes>();

  constructor(base: Attributes, label: string, max: number = MAX_VALUES) {
    this.#plain = Object.freeze({ ...base });
    this.#label = label;
    this.#max = max;
  }

  /** Without a value: the attributes without the label. */
  for(value: string | undefined): Attributes {
    if (value === undefined) return this.#plain;
    const known = this.#byValue.get(value);
    if (known) return known;
    if (this.#byValue.size >= this.#max) return this.#other();
    return this.#add(value);
  }

  #other(): Attributes {
    return this.#byValue.get('_OTHER') ?? this.#add('_OTHER');
  }

  #add(value: string): Attributes {
    const attributes = Object.freeze({ ...this.#plain, [this.#label]: value });
    this.#byValue.set(value, attributes);
    return attributes;
  }
}
