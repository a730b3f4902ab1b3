// BSD-3-Clause; see LICENSE.
/** Items on their way. */

/** A stream that holds so many items that nobody took fails. */
const MAX_ITEMS = 1 << 16;

/** Items that came and were not taken yet. */
export class Queue {
    #items = [];
    #waiting = [];
    #end;
    overflow;

    push(item) {
        if (this.#end !== undefined)
            return;
        const taker = this.#waiting.shift();
        if (taker !== undefined)
            taker.resolve({ value: item, done: false });
        else if (this.#items.push(item) > MAX_ITEMS)
            this.overflow?.();
    }
    /** No more items; with an error, not even those that are there. */
    end(error) {
        if (this.#end !== undefined)
            return;
        this.#end = { error };
        if (error !== undefined)
            this.#items = [];
        for (const taker of this.#waiting.splice(0))
            this.#finish(taker);
    }
    #finish({ resolve, reject }) {
        const { error } = this.#end;
        this.#end = {}; // An error is told once.
        if (error !== undefined)
            reject(error);
        else
            resolve({ value: undefined, done: true });
    }
    next() {
        return new Promise((resolve, reject) => {
            if (this.#items.length > 0)
                resolve({ value: this.#items.shift(), done: false });
            else if (this.#end !== undefined)
                this.#finish({ resolve, reject });
            else
                this.#waiting.push({ resolve, reject });
        });
    }
    [Symbol.asyncIterator]() {
        return this;
    }
}

/**
 * A call with streams. `for await` gives what the server sends; leaving the
 * loop cancels the call.
 *
 * @property {Promise} result  what the method returns in the end, as call()
 */
export class Stream {
    #queue;
    #send;
    #cancel;

    constructor({ queue, send, cancel, result }) {
        this.#queue = queue;
        this.#send = send;
        this.#cancel = cancel;
        this.result = result;
        result.catch(() => {}); // The loop tells it, too.
    }
    /** Sends an item. @returns {Promise<void>} when there is room for more */
    send(item) {
        return this.#send(item);
    }
    /** Tells the server that no more items will come. */
    close() {
        this.#send(undefined, true).catch(() => {}); // The result tells it.
    }
    /** Gives up; the result is an error with the id …verror.Canceled. */
    cancel() {
        this.#cancel();
    }
    [Symbol.asyncIterator]() {
        return { next: () => this.#queue.next(), return: async () => {
            this.#cancel();
            return { value: undefined, done: true };
        } };
    }
}
