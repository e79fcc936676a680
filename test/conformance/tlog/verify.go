// Verify checks an audit log with others' code: golang.org/x/mod/sumdb/note for signatures, sumdb/tlog for hashes and proofs.
// The texts and paths of C2SP (tlog-tiles, tlog-checkpoint, tlog-proof) it reads itself.
//
//	GO111MODULE=off GOPATH=/usr/share/gocode go run verify.go [-minimum-index N] FOLDER VKEY [PROOF...]
//
// It checks the checkpoint's signature, the record of every bundle against its tile, every tile against the root, the inclusion of
// each entry, the chain of blocks, and that the tree heads of the blocks are consistent with each other. Then each proof.
// Bundles of entries below the minimum index (tlog-tiles, Pruning) may be missing; an entry of the log must say so, with their root.
package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"log"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const width = 256

var (
	folder    string
	verifiers note.Verifiers
	origin    string
)

type head struct {
	size int64
	root tlog.Hash
}

func openHead(signed []byte) head {
	n, err := note.Open(signed, verifiers)
	must(err)
	lines := strings.Split(n.Text, "\n")
	if len(lines) != 4 || lines[3] != "" || lines[0] != origin {
		log.Fatalf("not a checkpoint of %s: %q", origin, n.Text)
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	must(err)
	if strconv.FormatInt(size, 10) != lines[1] {
		log.Fatalf("size %q", lines[1])
	}
	return head{size, hashOf(lines[2])}
}

func hashOf(text string) (h tlog.Hash) {
	raw, err := base64.StdEncoding.Strict().DecodeString(text)
	must(err)
	if len(raw) != len(h) {
		log.Fatalf("a hash of %d bytes", len(raw))
	}
	copy(h[:], raw)
	return h
}

// tilePath is tlog-tiles' name: groups of three digits, all but the last with an x, and .p/W for what is not full.
func tilePath(level string, n int64, w int) string {
	name := fmt.Sprintf("%03d", n%1000)
	for n /= 1000; n > 0; n /= 1000 {
		name = fmt.Sprintf("x%03d/%s", n%1000, name)
	}
	if w < width {
		name += fmt.Sprintf(".p/%d", w)
	}
	return filepath.Join(folder, "tile", level, name)
}

// widthOf is how wide tile n of a level is in a tree of that size.
func widthOf(level int, n, size int64) int {
	for ; level > 0; level-- {
		size /= width
	}
	if size -= n * width; size > width {
		return width
	}
	return int(size)
}

// tiles reads x/mod's stored hashes out of tiles of height 8, each once.
type tiles struct {
	size   int64
	read   map[string][]byte
	hashes map[int64]tlog.Hash
}

func (t tiles) tile(level int, n int64) []byte {
	w := widthOf(level, n, t.size)
	path := tilePath(strconv.Itoa(level), n, w)
	if t.read[path] == nil {
		data, err := os.ReadFile(path)
		must(err)
		if len(data) != w*tlog.HashSize {
			log.Fatalf("%s has %d bytes", path, len(data))
		}
		t.read[path] = data
	}
	return t.read[path]
}

func (t tiles) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	found := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		hash, ok := t.hashes[index]
		if !ok {
			level, n := tlog.SplitStoredHashIndex(index)
			count := int64(1) << uint(level%8)
			first := n * count
			data := t.tile(level/8, first/width)
			hash = treeOf(data[first%width*tlog.HashSize:][:count*tlog.HashSize])
			t.hashes[index] = hash
		}
		found[i] = hash
	}
	return found, nil
}

func treeOf(data []byte) (h tlog.Hash) {
	if len(data) == tlog.HashSize {
		copy(h[:], data)
		return h
	}
	half := len(data) / 2
	return tlog.NodeHash(treeOf(data[:half]), treeOf(data[half:]))
}

// entriesOf is nil for a bundle that is missing and may be.
func entriesOf(n, size, minimum int64) [][]byte {
	w := widthOf(0, n, size)
	path := tilePath("entries", n, w)
	data, err := os.ReadFile(path)
	if (n+1)*width <= minimum && errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	must(err)
	var entries [][]byte
	for len(data) >= 2 {
		end := 2 + int(data[0])<<8 + int(data[1])
		if end > len(data) {
			break
		}
		entries = append(entries, data[2:end])
		data = data[end:]
	}
	if len(entries) != w || len(data) > 0 {
		log.Fatalf("%s has %d whole entries and %d bytes", path, len(entries), len(data))
	}
	return entries
}

type block struct {
	Number   int64  `json:"number"`
	First    int64  `json:"first"`
	Count    int64  `json:"count"`
	Previous string `json:"previous"`
	Head     string `json:"head"`
}

func checkBlocks(at head, reader tlog.HashReader) int64 {
	previous, before, number := strings.Repeat("0", 64), head{}, int64(0)
	for ; before.size < at.size; number++ {
		data, err := os.ReadFile(filepath.Join(folder, "blocks", fmt.Sprintf("%d.json", number)))
		must(err)
		var b block
		decoder := json.NewDecoder(bytes.NewReader(data))
		decoder.DisallowUnknownFields()
		must(decoder.Decode(&b))
		h := openHead([]byte(b.Head))
		if b.Number != number || b.First != before.size || b.First+b.Count != h.size || b.Previous != previous {
			log.Fatalf("block %d does not follow: %+v", number, b)
		}
		if before.size > 0 {
			proof, err := tlog.ProveTree(h.size, before.size, reader)
			must(err)
			must(tlog.CheckTree(proof, h.size, h.root, before.size, before.root))
		}
		sum := sha256.Sum256(data)
		previous, before = hex.EncodeToString(sum[:]), h
	}
	if before != at {
		log.Fatalf("the last block's tree head is not the checkpoint's")
	}
	return number
}

// rootOfPruned is what the entry says that is the root of all entries below the minimum index.
func rootOfPruned(entry []byte, minimum int64) (root string, ok bool) {
	var e struct {
		Kind   string `json:"kind"`
		Detail struct {
			Minimum int64  `json:"minimum_index"`
			Root    string `json:"root"`
		} `json:"detail"`
	}
	if !bytes.Contains(entry, []byte(`"kind":"prune"`)) {
		return "", false
	}
	must(json.Unmarshal(entry, &e))
	return e.Detail.Root, e.Kind == "prune" && e.Detail.Minimum == minimum
}

// checkProof takes a proof apart whose line "extra" is the entry.
func checkProof(path string) {
	data, err := os.ReadFile(path)
	must(err)
	parts := strings.SplitN(string(data), "\n\n", 2)
	lines := strings.Split(parts[0], "\n")
	if len(parts) != 2 || len(lines) < 3 || lines[0] != "c2sp.org/tlog-proof@v1" {
		log.Fatalf("%s is no tlog-proof", path)
	}
	entry, err := base64.StdEncoding.Strict().DecodeString(strings.TrimPrefix(lines[1], "extra "))
	must(err)
	index, err := strconv.ParseInt(strings.TrimPrefix(lines[2], "index "), 10, 64)
	must(err)
	var proof tlog.RecordProof
	for _, line := range lines[3:] {
		proof = append(proof, hashOf(line))
	}
	h := openHead([]byte(parts[1]))
	must(tlog.CheckRecord(proof, h.size, h.root, index, tlog.RecordHash(entry)))
}

func main() {
	log.SetFlags(0)
	minimum := flag.Int64("minimum-index", 0, "entries below it may be missing")
	flag.Parse()
	args := flag.Args()
	if len(args) < 2 {
		log.Fatal("usage: verify [-minimum-index N] FOLDER VKEY [PROOF...]")
	}
	folder = args[0]
	verifier, err := note.NewVerifier(args[1])
	must(err)
	verifiers, origin = note.VerifierList(verifier), verifier.Name()
	signed, err := os.ReadFile(filepath.Join(folder, "checkpoint"))
	must(err)
	at := openHead(signed)
	reader := tiles{at.size, map[string][]byte{}, map[int64]tlog.Hash{}}
	root, err := tlog.TreeHash(at.size, reader)
	must(err)
	if root != at.root {
		log.Fatal("the tiles do not have the checkpoint's root")
	}
	for level := 1; widthOf(level, 0, at.size) > 0; level++ {
		for n := int64(0); widthOf(level, n, at.size) > 0; n++ {
			for i := 0; i < widthOf(level, n, at.size); i++ {
				below := treeOf(reader.tile(level-1, n*width+int64(i)))
				if !bytes.Equal(below[:], reader.tile(level, n)[i*tlog.HashSize:][:tlog.HashSize]) {
					log.Fatalf("tile %d of level %d does not fit hash %d below it", n, level, i)
				}
			}
		}
	}
	said := *minimum == 0
	for n := int64(0); n*width < at.size; n++ {
		for i, entry := range entriesOf(n, at.size, *minimum) {
			index := n*width + int64(i)
			proof, err := tlog.ProveRecord(at.size, index, reader)
			must(err)
			if err := tlog.CheckRecord(proof, at.size, at.root, index, tlog.RecordHash(entry)); err != nil {
				log.Fatalf("entry %d: %v", index, err)
			}
			if text, ok := rootOfPruned(entry, *minimum); ok {
				root, err := tlog.TreeHash(*minimum, reader)
				must(err)
				if said = hashOf(text) == root; !said {
					log.Fatalf("entry %d has another root of the entries below %d", index, *minimum)
				}
			}
		}
	}
	if !said {
		log.Fatalf("no entry says that those below %d were pruned", *minimum)
	}
	blocks := checkBlocks(at, reader)
	for _, path := range args[2:] {
		checkProof(path)
	}
	fmt.Printf("%d entries in %d blocks, %d proofs\n", at.size, blocks, len(args)-2)
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
