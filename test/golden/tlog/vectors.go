// Vectors prints vectors.txt: what golang.org/x/mod/sumdb says of trees of 0 to 300 leaves, of proofs right and wrong, and of notes.
//
//	GO111MODULE=off GOPATH=/usr/share/gocode go run vectors.go > vectors.txt
//
// Leaf n is the text "leaf n". Lines are
//
//	hash BASE64                                         hash 0, 1, 2, ...
//	root SIZE HASH
//	in WANT SIZE ROOT INDEX LEAF [HASH...]              is the leaf in the tree?
//	grown WANT SIZE ROOT FIRST-SIZE FIRST-ROOT [HASH...]  does the tree begin with the first?
//	note PRIVATE-KEY VERIFIER-KEY BASE64 BASE64          a text, and the text signed
//
// WANT is yes or no, by tlog.CheckRecord and tlog.CheckTree. A HASH is a number, or NUMBER^BIT with that bit of it changed.
package main

import (
	"bufio"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"log"
	"os"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const most = 300

var (
	out     = bufio.NewWriter(os.Stdout)
	hashes  []tlog.Hash
	numbers = map[tlog.Hash]int{}
)

// ref names a hash, and prints it when it is new.
func ref(h tlog.Hash) string {
	n, ok := numbers[h]
	if !ok {
		n = len(hashes)
		numbers[h] = n
		hashes = append(hashes, h)
		fmt.Fprintf(out, "hash %s\n", base64.StdEncoding.EncodeToString(h[:]))
	}
	return fmt.Sprint(n)
}

func flipped(h tlog.Hash, bit int) tlog.Hash {
	h[bit/8] ^= 1 << (bit % 8)
	return h
}

type claim struct {
	size, small int64 // the tree; the index or the smaller tree
	root, hash  tlog.Hash
	proof       []tlog.Hash
}

type check func(claim) error

func inTree(c claim) error   { return tlog.CheckRecord(c.proof, c.size, c.root, c.small, c.hash) }
func hasGrown(c claim) error { return tlog.CheckTree(c.proof, c.size, c.root, c.small, c.hash) }

var bit int

func emit(word string, c claim, verdict check) {
	emitRefs(word, verdict(c), c, refsOf(c))
}

// refs are a claim's hashes as they are printed: root, hash, proof.
type refs []string

func refsOf(c claim) refs {
	r := refs{ref(c.root), ref(c.hash)}
	for _, h := range c.proof {
		r = append(r, ref(h))
	}
	return r
}

func emitRefs(word string, verdict error, c claim, r refs) {
	want := "yes"
	if verdict != nil {
		want = "no"
	}
	fmt.Fprintln(out, strings.TrimSpace(fmt.Sprintf("%s %s %d %s %d %s %s", word, want, c.size, r[0], c.small, r[1], strings.Join(r[2:], " "))))
}

// emitWrong makes the claim wrong in every way there is, one at a time.
func emitWrong(word string, c claim, verdict check) {
	right := refsOf(c)
	copied := func() claim {
		w := c
		w.proof = append([]tlog.Hash{}, c.proof...)
		return w
	}
	// A bit of each hash: of the root, of the other one and of the proof's.
	for i := range right {
		bit = (bit + 37) % 256
		w := copied()
		switch i {
		case 0:
			w.root = flipped(w.root, bit)
		case 1:
			w.hash = flipped(w.hash, bit)
		default:
			w.proof[i-2] = flipped(w.proof[i-2], bit)
		}
		r := append(refs{}, right...)
		r[i] = fmt.Sprintf("%s^%d", right[i], bit)
		emitRefs(word, verdict(w), w, r)
	}
	// A hash missing, or one too many, at the beginning, in the middle and at the end.
	for _, at := range []int{0, len(c.proof) / 2, len(c.proof)} {
		if at < len(c.proof) {
			w := c
			w.proof = append(append([]tlog.Hash{}, c.proof[:at]...), c.proof[at+1:]...)
			emit(word, w, verdict)
		}
		for _, more := range []tlog.Hash{c.root, c.hash} {
			w := c
			w.proof = append(append(append([]tlog.Hash{}, c.proof[:at]...), more), c.proof[at:]...)
			emit(word, w, verdict)
		}
	}
	// Hashes of the proof swapped, and the two hashes that it is about.
	if len(c.proof) > 1 {
		w := copied()
		w.proof[0], w.proof[1] = w.proof[1], w.proof[0]
		emit(word, w, verdict)
	}
	w := copied()
	w.root, w.hash = c.hash, c.root
	emit(word, w, verdict)
	// A size or an index off by one.
	for _, off := range []int64{-1, 1} {
		w := copied()
		w.size += off
		emit(word, w, verdict)
		w = copied()
		w.small += off
		emit(word, w, verdict)
	}
}

func main() {
	log.SetFlags(0)
	var stored []tlog.Hash
	reader := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		found := make([]tlog.Hash, len(indexes))
		for i, x := range indexes {
			found[i] = stored[x]
		}
		return found, nil
	})
	roots := []tlog.Hash{sha256.Sum256(nil)} // x/mod has none for the empty tree
	leaves := []tlog.Hash{}
	empty := ref(roots[0])
	fmt.Fprintf(out, "root 0 %s\n", empty)
	for n := int64(0); n < most; n++ {
		data := []byte(fmt.Sprintf("leaf %d", n))
		more, err := tlog.StoredHashes(n, data, reader)
		must(err)
		stored = append(stored, more...)
		leaves = append(leaves, tlog.RecordHash(data))
		root, err := tlog.TreeHash(n+1, reader)
		must(err)
		roots = append(roots, root)
		r := ref(root)
		fmt.Fprintf(out, "root %d %s\n", n+1, r)
	}
	inclusion := func(size, index int64) claim {
		proof, err := tlog.ProveRecord(size, index, reader)
		must(err)
		return claim{size, index, roots[size], leaves[index], proof}
	}
	growth := func(size, first int64) claim {
		proof, err := tlog.ProveTree(size, first, reader)
		must(err)
		return claim{size, first, roots[size], roots[first], proof}
	}
	for size := int64(1); size <= most; size++ {
		for index := int64(0); index < size; index++ {
			if size == most || index == size-1 || (size*7+index*13)%23 == 0 {
				emit("in", inclusion(size, index), inTree)
			}
			if first := index + 1; first >= size-1 || (size*11+first*5)%29 == 0 {
				emit("grown", growth(size, first), hasGrown)
			}
		}
		if size <= 9 || size%32 <= 1 || size%37 == 0 || size == most {
			emitWrong("in", inclusion(size, (size*5)%size), inTree)
			emitWrong("in", inclusion(size, size/2), inTree)
			emitWrong("in", inclusion(size, size-1), inTree)
			for _, first := range []int64{1, size / 3, size / 2, size - 1, size} {
				if first > 0 {
					emitWrong("grown", growth(size, first), hasGrown)
				}
			}
		}
	}
	notes()
	must(out.Flush())
}

// counter is a source of bytes that is the same each time.
type counter byte

func (c *counter) Read(p []byte) (int, error) {
	for i := range p {
		*c++
		p[i] = byte(*c)
	}
	return len(p), nil
}

func notes() {
	source := new(counter)
	for _, name := range []string{"op-dbus/4f3c", "example.com/log", "Ä-log"} {
		skey, vkey, err := note.GenerateKey(source, name)
		must(err)
		signer, err := note.NewSigner(skey)
		must(err)
		for _, text := range []string{"one line\n", name + "\n42\n" + base64.StdEncoding.EncodeToString(make([]byte, 32)) + "\n", "with\n\nan empty line\n"} {
			signed, err := note.Sign(&note.Note{Text: text}, signer)
			must(err)
			encode := base64.StdEncoding.EncodeToString
			fmt.Fprintf(out, "note %s %s %s %s\n", skey, vkey, encode([]byte(text)), encode(signed))
		}
	}
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
