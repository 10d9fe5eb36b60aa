/** Calm: what is said in large letters changes at most once in a while. */

export const HOLD_MS = 5000;

/** Shows moods one at a time. The first is shown at once; a newer one waits until the one that is
 * shown has stood for HOLD_MS, and the newest of those that wait is shown. What is `atOnce`
 * (an objection, the end) does not wait. */
export class Headline {
  constructor(show) {
    this._show = show;
    this._shown = null;
    this._waiting = null;
    this._changed = -Infinity;
    this._timer = 0;
  }

  get shown() {
    return this._shown;
  }

  /** This is how it stands now. */
  offer(mood) {
    this._waiting = null;
    const left = this._changed + HOLD_MS - performance.now();
    if (this._isShown(mood) || mood.atOnce || left <= 0) this._turnTo(mood);
    else this._wait(mood, left);
  }

  /** Nothing waits any more. */
  stop() {
    clearTimeout(this._timer);
    this._waiting = null;
  }

  _isShown(mood) {
    return mood.name === this._shown?.name && mood.reason === this._shown.reason;
  }

  _turnTo(mood) {
    clearTimeout(this._timer);
    // That nothing is known yet is no state: the first one need not wait for it.
    if (!this._isShown(mood)) this._changed = mood.name === "waiting" ? -Infinity : performance.now();
    this._shown = mood;
    this._show(mood);
  }

  _wait(mood, left) {
    this._waiting = mood;
    clearTimeout(this._timer);
    this._timer = setTimeout(() => this._waiting && this.offer(this._waiting), left);
  }
}
